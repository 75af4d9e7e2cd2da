using ClipSae.Contracts;

namespace ClipSae.Datasets.Tests;

public sealed class CaptionSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Json_captions_are_read_as_SPRIGHT_has_them()
    {
        _folder.Picture("data/9/0.jpg");
        _folder.Picture("data/9/1.jpg");
        _folder.Text("captions.json", """{"data/9/0.jpg": ["long caption", "short"], "data/9/1.jpg": "one"}""");
        var items = await _folder.Items(await _folder.Import());
        items.Select(item => item.Item.Id).ShouldBe(["data/9/0.jpg", "data/9/1.jpg"]);
        items[0].Item.Captions.ShouldBe(["long caption", "short"]);
        items[1].Item.Captions.ShouldBe(["one"]);
        items[0].Bytes.ShouldBe(File.ReadAllBytes(Path.Combine(_folder.Data, "data/9/0.jpg")));
    }

    [Fact]
    public async Task Annotations_carry_labels_and_attributes()
    {
        _folder.Picture("a.png");
        _folder.Text("annotations.json", """[{"path": "a.png", "label": "cat", "captions": ["a cat"], "attributes": {"word": "dog"}}]""");
        var item = (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item;
        item.Label.ShouldBe("cat");
        ((string?)item.Attributes!["word"]).ShouldBe("dog");
    }

    [Fact]
    public async Task Tables_are_read_as_open_clip_reads_them()
    {
        _folder.Picture("a.png");
        _folder.Picture("b.png");
        _folder.Text("captions.csv", "filepath,title\na.png,\"a cat, \"\"so\"\" red\"\r\na.png,another\nb.png,\"two\nlines\"\n");
        var items = await _folder.Items(await _folder.Import());
        items[0].Item.Captions.ShouldBe(["a cat, \"so\" red", "another"]);
        items[1].Item.Captions.ShouldBe(["two\nlines"]);
    }

    [Fact]
    public async Task Tab_separated_tables_are_read()
    {
        _folder.Picture("a.png");
        _folder.Text("list.tsv", "filepath\tcaption\tlabel\tword\na.png\ta cat\tcat\tdog\n");
        var item = (await _folder.Items(await _folder.Import(new ImportOptions { CaptionFile = "list.tsv" }))).ShouldHaveSingleItem().Item;
        item.Label.ShouldBe("cat");
        ((string?)item.Attributes!["word"]).ShouldBe("dog");
    }

    [Fact]
    public async Task The_first_line_beside_a_picture_is_its_caption()
    {
        _folder.Picture("a.png");
        _folder.Text("a.txt", "the truth\nthe lie\n");
        _folder.Picture("b.png");
        var imported = await _folder.Import();
        (await _folder.Items(imported)).ShouldHaveSingleItem().Item.Captions.ShouldBe(["the truth"]);
        imported.Content.Problems.ShouldHaveSingleItem().Kind.ShouldBe(ImportProblemKind.NoCaption);
    }

    [Fact]
    public async Task Folders_name_classes()
    {
        _folder.Picture("cat/1.png");
        _folder.Picture("fire_truck/sub/1.png");
        var imported = await _folder.Import(new ImportOptions { LabelsNeeded = true });
        (await _folder.Items(imported)).Select(item => item.Item.Captions[0]).ShouldBe(["a photo of a cat", "a photo of a fire truck"]);
        imported.Content.Labels.Keys.ShouldBe(["cat", "fire truck"]);
    }

    [Fact]
    public async Task File_names_of_attack_sets_are_understood()
    {
        _folder.Picture("label=dog_text=cat.png");
        _folder.Picture("label=hot pepper_text=fire truck.png");
        var items = await _folder.Items(await _folder.Import());
        items.Select(item => (item.Item.Label, (string?)item.Item.Attributes!["word"])).ShouldBe([("dog", "cat"), ("hot pepper", "fire truck")]);
    }

    [Theory]
    [InlineData("captions.json", "{\"a.png\": ")]
    [InlineData("captions.json", "3")]
    [InlineData("captions.csv", "")]
    [InlineData("captions.csv", "name,words\na,b\n")]
    public async Task An_unreadable_caption_file_is_one_clear_line(string name, string content)
    {
        _folder.Picture("a.png");
        _folder.Text(name, content);
        var error = await Should.ThrowAsync<UserErrorException>(() => _folder.Import());
        error.Message.ShouldContain(name);
        error.Message.ShouldNotContain('\n');
    }
}
