using ClipSae.Datasets.Import;
using ClipSae.Datasets.Sources;

namespace ClipSae.Datasets.Tests;

public sealed class CaptionSourceTests : IDisposable
{
    private readonly ImageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Json_captions_are_read_as_SPRIGHT_has_them()
    {
        _folder.Image("data/9/0.jpg");
        _folder.Image("data/9/1.jpg");
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
        _folder.Image("a.png");
        _folder.Text("annotations.json", """[{"path": "a.png", "label": "cat", "captions": ["a cat"], "attributes": {"word": "dog"}}]""");
        var item = (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item;
        item.Label.ShouldBe("cat");
        ((string?)item.Attributes!["word"]).ShouldBe("dog");
    }

    [Fact]
    public async Task Tables_are_read_as_open_clip_reads_them()
    {
        _folder.Image("a.png");
        _folder.Image("b.png");
        _folder.Text("captions.csv", "filepath,title\na.png,\"a cat, \"\"so\"\" red\"\r\na.png,another\nb.png,\"two\nlines\"\n");
        var items = await _folder.Items(await _folder.Import());
        items[0].Item.Captions.ShouldBe(["a cat, \"so\" red", "another"]);
        items[1].Item.Captions.ShouldBe(["two\nlines"]);
    }

    [Theory]
    [InlineData("filepath;caption;label\r\na.png;\"a cat; red, big\";cat\r\n")]
    [InlineData("\uFEFFfilepath\tcaption\tlabel\r\na.png\ta cat; red, big\tcat\r\n")]
    [InlineData("\uFEFFsep=;\r\nfilepath;caption;label\r\na.png;a cat\\; red, big;cat\r\n", "\\")]
    [InlineData("filepath,caption,label\r\na.png,\"a cat; red, big\",cat\r\n")]
    public async Task Tables_of_spreadsheets_are_read_whatever_separates_their_fields(string table, string? escape = null)
    {
        // A semicolon cannot be escaped but by quotes, so that row has a column too many.
        _folder.Image("a.png");
        _folder.Text("captions.csv", table);
        if (escape is not null)
        {
            (await Should.ThrowAsync<UserErrorException>(() => _folder.Import())).Message.ShouldContain(
                "captions.csv:3: 4 columns instead of 3"
            );
            return;
        }

        var item = (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item;
        item.Captions.ShouldBe(["a cat; red, big"]);
        item.Label.ShouldBe("cat");
    }

    [Fact]
    public async Task Pictures_of_kinds_that_are_not_read_are_counted_by_kind()
    {
        _folder.Image("cat/0.png");
        byte[][] heads =
        [
            [(byte)'I', (byte)'I', (byte)'*', 0],
            [0, 0, 0, 24, .. "ftypheic"u8],
            [0, 0, 0, 24, .. "ftypavif"u8],
            [0, 0, 0, 12, .. "jP  "u8],
        ];
        foreach (var (kind, head) in heads.Index())
        {
            for (var copy = 0; copy < 2; copy++)
            {
                _folder.Bytes($"cat/{kind}-{copy}.{new[] { "tif", "heic", "avif", "jp2" }[kind]}", [.. head, .. new byte[64]]);
            }
        }

        var message = (await Should.ThrowAsync<UserErrorException>(() => _folder.Import(new ImportOptions()))).Message;

        message.ShouldStartWith($"8 of 9 rows of the data set {_folder.Data} cannot be used (");
        foreach (var kind in new[] { "TIFF", "HEIC", "AVIF", "JPEG 2000" })
        {
            message.ShouldContain($": {kind} is not read: convert it to PNG or JPEG");
        }
    }

    [Fact]
    public async Task Tab_separated_tables_are_read()
    {
        _folder.Image("a.png");
        _folder.Text("list.tsv", "filepath\tcaption\tlabel\tword\na.png\ta cat\tcat\tdog\n");
        var item = (await _folder.Items(await _folder.Import(new ImportOptions { CaptionFile = "list.tsv" }))).ShouldHaveSingleItem().Item;
        item.Label.ShouldBe("cat");
        ((string?)item.Attributes!["word"]).ShouldBe("dog");
    }

    [Fact]
    public async Task The_first_line_beside_a_picture_is_its_caption()
    {
        _folder.Image("a.png");
        _folder.Text("a.txt", "the truth\nthe lie\n");
        _folder.Image("b.png");
        var imported = await _folder.Import();
        (await _folder.Items(imported)).ShouldHaveSingleItem().Item.Captions.ShouldBe(["the truth"]);
        imported.Content.Problems.ShouldHaveSingleItem().Kind.ShouldBe(ImportProblemKind.NoCaption);
    }

    [Fact]
    public async Task Folders_name_classes()
    {
        _folder.Image("cat/1.png");
        _folder.Image("fire_truck/sub/1.png");
        var imported = await _folder.Import(new ImportOptions { LabelsNeeded = true });
        (await _folder.Items(imported)).Select(item => item.Item.Captions[0]).ShouldBe(["a photo of a cat", "a photo of a fire truck"]);
        imported.Content.Labels.Keys.ShouldBe(["cat", "fire truck"]);
    }

    [Fact]
    public async Task File_names_of_attack_sets_are_understood()
    {
        _folder.Image("label=dog_text=cat.png");
        _folder.Image("label=hot_pepper_text=fire truck.png");
        var items = await _folder.Items(await _folder.Import());
        items
            .Select(item => (item.Item.Label, (string?)item.Item.Attributes!["word"]))
            .ShouldBe([("dog", "cat"), ("hot pepper", "fire truck")]);
    }

    [Fact]
    public async Task Captions_are_read_as_COCO_publishes_them()
    {
        _folder.Image("000000179765.jpg");
        _folder.Image("000000190236.jpg");
        _folder.Text(
            "captions_val2017.json",
            """
            {"info": {"year": 2017}, "licenses": [], "images": [{"license": 3, "file_name": "000000179765.jpg", "height": 480, "width": 640, "id": 179765}, {"file_name": "000000190236.jpg", "id": 190236}, {"id": 190236, "file_name": "x.jpg"}],
             "annotations": [{"image_id": 179765, "id": 38, "caption": "A black Honda motorcycle"}, {"image_id": 190236, "id": 40, "caption": "A red one"}, {"image_id": 179765, "id": 182, "caption": "A Honda bike"}, {"image_id": 7, "id": 1, "caption": "lost"}]}
            """
        );

        var imported = await _folder.Import(new ImportOptions { CaptionFile = "captions_val2017.json", MaxProblemShare = 0.5 });

        (await _folder.Items(imported))
            .Select(item => (item.Item.Id, string.Join("|", item.Item.Captions)))
            .ShouldBe([("000000179765.jpg", "A black Honda motorcycle|A Honda bike"), ("000000190236.jpg", "A red one")]);
        imported
            .Content.Problems.Select(problem => problem.Where)
            .ShouldBe(["captions_val2017.json:images[2]", "captions_val2017.json:annotations[3]"], ignoreOrder: true);
    }

    // The columns and the first values are those of the published file.
    [Fact]
    public async Task Answers_of_the_viewing_time_study_are_read_as_published_each_image_once()
    {
        const string Options = "\"['Band-Aid', 'T-shirt', \"\"cook's hat\"\"]\"";
        _folder.Image("all/0010c289bf9e42d.png");
        _folder.Image("all/002609e58d0d4fc.png");
        _folder.Text(
            "human_responses.csv",
            $"""
            ,image,image_duration,label,response,response_time,worker_id,objectnet,response_options
            55694,0010c289bf9e42d.png,17,T-shirt,Band-Aid,3.522,d05e50d79e217a61,True,{Options}
            55695,0010c289bf9e42d.png,150,T-shirt,T-shirt,2.1,d05e50d79e217a62,True,{Options}
            53987,002609e58d0d4fc.png,17,cook's hat,T-shirt,3.244,ddcb33cadb30bbbd,True,{Options}
            7858,lost.png,17,T-shirt,T-shirt,5.178,3b6fe41e504a9d10,True,{Options}
            7859,0010c289bf9e42d.png,17,Band-Aid,T-shirt,5.178,3b6fe41e504a9d10,True,{Options}

            """
        );

        var imported = await _folder.Import(new ImportOptions { LabelsNeeded = true, MaxProblemShare = 0.5 });

        var items = await _folder.Items(imported);
        items
            .Select(item => (item.Item.Id, item.Item.Label))
            .ShouldBe([("all/0010c289bf9e42d.png", "T-shirt"), ("all/002609e58d0d4fc.png", "cook's hat")]);
        items[1].Item.Attributes!["choices"]!.AsArray().Select(choice => (string?)choice).ShouldBe(["Band-Aid", "T-shirt", "cook's hat"]);
        imported
            .Content.Problems.Select(problem => problem.Kind)
            .ShouldBe([ImportProblemKind.BadRow, ImportProblemKind.MissingFile], ignoreOrder: true);
    }

    [Theory]
    [InlineData("image,response\na.png,cat\n", "label")]
    [InlineData("picture,response\na.png,cat\n", "image and label")]
    [InlineData("image,label,response_options\na.png,cat,cat or dog\n", "response_options is not a list")]
    public async Task A_file_of_the_study_that_lacks_what_it_needs_is_refused_by_name(string content, string expected)
    {
        _folder.Image("a.png");
        _folder.Text("human_responses.csv", content);

        (await Should.ThrowAsync<UserErrorException>(() => _folder.Import())).Message.ShouldContain(expected);
    }

    [Fact]
    public async Task Without_options_the_labels_of_the_study_are_the_classes()
    {
        _folder.Image("a.png");
        _folder.Text("human_responses_dedup.csv", "image,label\na.png,cat\n");

        (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item.Attributes.ShouldBeNull();
    }

    [Fact]
    public async Task Tables_of_SCAM_are_read_with_its_own_column_names()
    {
        _folder.Image("a.png");
        _folder.Text("annotations.csv", "image,object_label,attack_word,type\na.png,clock,taxi,SCAM\n");
        var item = (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item;
        item.Label.ShouldBe("clock");
        ((string?)item.Attributes!["word"]).ShouldBe("taxi");
    }

    [Fact]
    public async Task Pictures_are_told_by_content_where_their_names_do_not_say_it_and_those_that_are_not_read_are_named()
    {
        _folder.Image("bird/0.png");
        _folder.Image("bird/1.jfif");
        _folder.Image("bird/2");
        _folder.Bytes("moon/0.tif", [.. "II*\0"u8, .. new byte[40]]);
        _folder.Bytes("moon/1.avif", [0, 0, 0, 32, .. "ftypavif"u8, .. new byte[40]]);
        _folder.Bytes("moon/Thumbs.db", [0xD0, 0xCF, 0x11, 0xE0, 1, 2, 3]);
        _folder.Text("README.txt", "BM is how bitmaps begin");

        var imported = await _folder.Import();

        (await _folder.Items(imported))
            .Select(item => (item.Item.Id, item.Item.Label))
            .ShouldBe([("bird/0.png", "bird"), ("bird/1.jfif", "bird"), ("bird/2", "bird")]);
        imported.Content.Rows.ShouldBe(5);
        imported
            .Content.Problems.Select(problem => $"{problem.Where}: {problem.Detail}")
            .ShouldBe([
                "moon/0.tif: TIFF is not read: convert it to PNG or JPEG",
                "moon/1.avif: AVIF is not read: convert it to PNG or JPEG",
            ]);
    }

    [Fact]
    public async Task A_folder_of_nothing_but_unread_pictures_says_what_they_are()
    {
        _folder.Bytes("moon/0.tiff", [.. "MM\0*"u8, .. new byte[40]]);

        (await Should.ThrowAsync<UserErrorException>(() => _folder.Import())).Message.ShouldContain("moon/0.tiff: TIFF is not read");
    }

    [Fact]
    public async Task A_link_to_itself_and_a_link_to_a_folder_above_are_one_named_problem_each()
    {
        _folder.Image("cat/1.png");
        _folder.Image("dog/1.png");
        File.CreateSymbolicLink(Path.Combine(_folder.Data, "cat/self.png"), "self.png");
        File.CreateSymbolicLink(Path.Combine(_folder.Data, "dog/up"), "..");
        File.CreateSymbolicLink(Path.Combine(_folder.Data, "dog/a"), "b");
        File.CreateSymbolicLink(Path.Combine(_folder.Data, "dog/b"), "a");

        var imported = await _folder.Import();

        (await _folder.Items(imported)).Select(item => item.Item.Id).ShouldBe(["cat/1.png", "dog/1.png"]);
        imported
            .Content.Problems.Select(problem => problem.Where)
            .ShouldBe(["dog/a", "dog/b", "dog/up", "cat/self.png"], ignoreOrder: true);
        imported.Content.Problems.Single(problem => problem.Where == "cat/self.png").Detail.ShouldContain("a link that leads nowhere");
    }

    [Fact]
    public async Task Links_to_folders_inside_the_data_set_are_followed()
    {
        _folder.Image("cats/1.png");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Data, "kitten"), Path.Combine(_folder.Data, "cats"));

        (await _folder.Items(await _folder.Import()))
            .Select(item => (item.Item.Id, item.Item.Label))
            .ShouldBe([("cats/1.png", "cats"), ("kitten/1.png", "kitten")]);
    }

    [Fact]
    public async Task Absolute_paths_inside_the_folder_are_taken_also_where_the_folder_is_reached_through_a_link()
    {
        _folder.Image("sub/a.png");
        _folder.Text("captions.csv", $"filepath,caption\n{_folder.Data}/sub/a.png,one\n");
        (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item.Id.ShouldBe("sub/a.png");

        var link = Path.Combine(_folder.Root, "link");
        Directory.CreateSymbolicLink(link, _folder.Data);
        var imported = await DatasetImporter.ImportAsync(link, new ImportOptions(), _folder.Store, scratch: _folder.Root);
        imported.Content.Items.ShouldHaveSingleItem().Id.ShouldBe("sub/a.png");
    }

    [Theory]
    [InlineData("captions.csv", "filepath,caption\na.png,caf\u00E9\n", "line 2")]
    [InlineData("captions.json", "{\"a.png\": \"caf\u00E9\"}", "captions.json")]
    [InlineData("human_responses.csv", "image,label\na.png,caf\u00E9\n", "line 2")]
    public async Task Text_in_another_encoding_is_refused_with_its_place(string name, string content, string place)
    {
        _folder.Image("a.png");
        _folder.Bytes(name, System.Text.Encoding.Latin1.GetBytes(content));

        var error = await Should.ThrowAsync<UserErrorException>(() => _folder.Import());

        error.Message.ShouldContain(place);
        error.Message.ShouldContain("is not UTF-8");
    }

    [Fact]
    public async Task A_caption_in_another_encoding_beside_a_picture_is_a_named_problem()
    {
        _folder.Image("a.png");
        _folder.Text("a.txt", "café");
        _folder.Image("b.png");
        _folder.Bytes("b.txt", System.Text.Encoding.Latin1.GetBytes("café"));

        var imported = await _folder.Import();

        (await _folder.Items(imported)).ShouldHaveSingleItem().Item.Captions.ShouldBe(["café"]);
        imported.Content.Problems.ShouldHaveSingleItem().Detail.ShouldContain("is not UTF-8");
    }

    [Fact]
    public async Task UTF_16_with_its_mark_is_read()
    {
        _folder.Image("a.png");
        _folder.Bytes(
            "captions.csv",
            [.. System.Text.Encoding.Unicode.Preamble, .. System.Text.Encoding.Unicode.GetBytes("filepath,caption\na.png,café\n")]
        );

        (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item.Captions.ShouldBe(["café"]);
    }

    [Fact]
    public async Task Half_a_surrogate_pair_in_JSON_is_one_clear_line()
    {
        _folder.Image("a.png");
        _folder.Text("captions.json", """{"a.png": ["a \ud83d cat"]}""");

        (await Should.ThrowAsync<UserErrorException>(() => _folder.Import())).Message.ShouldContain("half a character");
    }

    // Archives made on a Mac spell é in two code points.
    [Fact]
    public async Task Labels_captions_words_and_paths_are_one_whether_letters_are_composed_or_not()
    {
        const string Composed = "caf\u00E9";
        const string Apart = "cafe\u0301";
        _folder.Image($"{Apart}/1.png");
        _folder.Image($"{Composed}/2.png");
        var folders = await _folder.Import();
        folders.Content.Labels.ShouldHaveSingleItem().ShouldBe(new KeyValuePair<string, int>(Composed, 2));

        _folder.Text(
            "captions.json",
            $$"""[{"path": "{{Composed}}/1.png", "caption": "a {{Apart}}", "label": "{{Apart}}", "word": "{{Apart}}"}]"""
        );
        var item = (await _folder.Items(await _folder.Import())).ShouldHaveSingleItem().Item;
        (item.Captions[0], item.Label, PrintedText.On(item)!.Word).ShouldBe(($"a {Composed}", Composed, Composed));
        item.Id.ShouldBe($"{Apart}/1.png");
    }

    [Fact]
    public async Task The_parts_of_a_split_data_set_are_no_classes()
    {
        _folder.Image("train/cat/1.png");
        _folder.Image("val/cat/1.png");
        var error = await Should.ThrowAsync<UserErrorException>(() => _folder.Import());
        error.Message.ShouldContain("split into train and val, which are not classes");

        // A class may well be called train, where others are not so named.
        _folder.Image("bus/1.png");
        (await _folder.Import()).Content.Labels.Keys.ShouldBe(["bus", "train", "val"]);
    }

    [Fact]
    public async Task Numbers_in_place_of_class_names_are_named_as_the_cause()
    {
        _folder.Image("0.png");
        _folder.Text("annotations.json", """[{"path": "0.png", "label": 3}]""");

        (await _folder.ImportProblem()).ShouldContain("the label 3 is a number: write the name of the class");
    }

    [Theory]
    [InlineData("annotations/captions_val2017.json", "val2017")]
    [InlineData("annotations/captions_val2017.json", "images/val2017")]
    [InlineData("annotations/captions_val2017.json", "images")]
    public async Task Images_of_COCO_are_found_beside_the_folder_of_its_annotations(string file, string images)
    {
        _folder.Image($"{images}/1.jpg");
        _folder.Text(file, """{"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [{"image_id": 1, "caption": "a cat"}]}""");
        var path = Path.Combine(_folder.Data, file);

        var named = await DatasetImporter.ImportAsync(
            Path.GetDirectoryName(path)!,
            new ImportOptions { CaptionFile = path },
            _folder.Store,
            scratch: _folder.Root
        );
        var found = await _folder.Import();

        named.Content.Items.ShouldHaveSingleItem().Id.ShouldBe($"{images}/1.jpg");
        found.Shards.ShouldBe(named.Shards);
    }

    [Fact]
    public async Task Several_caption_files_of_COCO_ask_for_a_choice()
    {
        _folder.Text("annotations/captions_train2017.json", "{}");
        _folder.Text("annotations/captions_val2017.json", "{}");

        (await Should.ThrowAsync<UserErrorException>(() => _folder.Import())).Message.ShouldContain("Specify the one to use");
    }

    [Theory]
    [InlineData("captions.json", "{\"a.png\": ")]
    [InlineData("captions.json", "3")]
    [InlineData("captions.csv", "")]
    [InlineData("captions.csv", "name,words\na,b\n")]
    public async Task An_unreadable_caption_file_is_one_clear_line(string name, string content)
    {
        _folder.Image("a.png");
        _folder.Text(name, content);
        var error = await Should.ThrowAsync<UserErrorException>(() => _folder.Import());
        error.Message.ShouldContain(name);
        error.Message.ShouldNotContain('\n');
    }
}
