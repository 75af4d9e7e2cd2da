using ClipSae.Contracts;

namespace ClipSae.Datasets.Tests;

public sealed class CaptionSourceTests : IDisposable
{
    private readonly PictureFolder _folder = new();

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
        _folder.Picture("label=hot_pepper_text=fire truck.png");
        var items = await _folder.Items(await _folder.Import());
        items.Select(item => (item.Item.Label, (string?)item.Item.Attributes!["word"])).ShouldBe([("dog", "cat"), ("hot pepper", "fire truck")]);
    }

    [Fact]
    public async Task Captions_are_read_as_COCO_publishes_them()
    {
        _folder.Picture("000000179765.jpg");
        _folder.Picture("000000190236.jpg");
        _folder.Text(
            "captions_val2017.json",
            """
            {"info": {"year": 2017}, "licenses": [], "images": [{"license": 3, "file_name": "000000179765.jpg", "height": 480, "width": 640, "id": 179765}, {"file_name": "000000190236.jpg", "id": 190236}, {"id": 190236, "file_name": "x.jpg"}],
             "annotations": [{"image_id": 179765, "id": 38, "caption": "A black Honda motorcycle"}, {"image_id": 190236, "id": 40, "caption": "A red one"}, {"image_id": 179765, "id": 182, "caption": "A Honda bike"}, {"image_id": 7, "id": 1, "caption": "lost"}]}
            """);

        var imported = await _folder.Import(new ImportOptions { CaptionFile = "captions_val2017.json", MaxProblemShare = 0.5 });

        (await _folder.Items(imported)).Select(item => (item.Item.Id, string.Join("|", item.Item.Captions)))
            .ShouldBe([("000000179765.jpg", "A black Honda motorcycle|A Honda bike"), ("000000190236.jpg", "A red one")]);
        imported.Content.Problems.Select(problem => problem.Where).ShouldBe(["captions_val2017.json:images[2]", "captions_val2017.json:annotations[3]"], ignoreOrder: true);
    }

    // The columns and the first values are those of the published file.
    [Fact]
    public async Task Answers_of_the_viewing_time_study_are_read_as_published_each_image_once()
    {
        const string Options = "\"['Band-Aid', 'T-shirt', \"\"cook's hat\"\"]\"";
        _folder.Picture("all/0010c289bf9e42d.png");
        _folder.Picture("all/002609e58d0d4fc.png");
        _folder.Text(
            "human_responses.csv",
            $"""
            ,image,image_duration,label,response,response_time,worker_id,objectnet,response_options
            55694,0010c289bf9e42d.png,17,T-shirt,Band-Aid,3.522,d05e50d79e217a61,True,{Options}
            55695,0010c289bf9e42d.png,150,T-shirt,T-shirt,2.1,d05e50d79e217a62,True,{Options}
            53987,002609e58d0d4fc.png,17,cook's hat,T-shirt,3.244,ddcb33cadb30bbbd,True,{Options}
            7858,lost.png,17,T-shirt,T-shirt,5.178,3b6fe41e504a9d10,True,{Options}
            7859,0010c289bf9e42d.png,17,Band-Aid,T-shirt,5.178,3b6fe41e504a9d10,True,{Options}

            """);

        var imported = await _folder.Import(new ImportOptions { LabelsNeeded = true, MaxProblemShare = 0.5 });

        var items = await _folder.Items(imported);
        items.Select(item => (item.Item.Id, item.Item.Label)).ShouldBe([("all/0010c289bf9e42d.png", "T-shirt"), ("all/002609e58d0d4fc.png", "cook's hat")]);
        items[1].Item.Attributes!["choices"]!.AsArray().Select(choice => (string?)choice).ShouldBe(["Band-Aid", "T-shirt", "cook's hat"]);
        imported.Content.Problems.Select(problem => problem.Kind).ShouldBe([ImportProblemKind.BadRow, ImportProblemKind.MissingFile], ignoreOrder: true);
    }

    [Theory]
    [InlineData("image,response\na.png,cat\n", "label")]
    [InlineData("picture,response\na.png,cat\n", "image and label")]
    [InlineData("image,label,response_options\na.png,cat,cat or dog\n", "response_options is no list")]
    public async Task A_file_of_the_study_that_lacks_what_it_needs_is_refused_by_name(string content, string expected)
    {
        _folder.Picture("a.png");
        _folder.Text("human_responses.csv", content);

        (await Should.ThrowAsync<UserErrorException>(() => _folder.Import())).Message.ShouldContain(expected);
    }

    [Fact]
    public async Task Without_options_the_labels_of_the_study_are_the_classes()
    {
        _folder.Picture("a.png");
        _folder.Text("human_responses_dedup.csv", "image,label\na.png,cat\n");

        (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item.Attributes.ShouldBeNull();
    }

    [Fact]
    public async Task Tables_of_SCAM_are_read_with_its_own_column_names()
    {
        _folder.Picture("a.png");
        _folder.Text("annotations.csv", "image,object_label,attack_word,type\na.png,clock,taxi,SCAM\n");
        var item = (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item;
        item.Label.ShouldBe("clock");
        ((string?)item.Attributes!["word"]).ShouldBe("taxi");
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
