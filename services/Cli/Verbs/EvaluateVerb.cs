using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Datasets;
using ClipSae.Hosting;
using ClipSae.Pipeline;
using ClipSae.ZeroShotEvaluation;
using Spectre.Console;

namespace ClipSae.Cli;

/// <summary>Scores models side by side on labelled sets.</summary>
internal sealed class EvaluateVerb : Verb
{
    private readonly Option<string[]> _models = new("--model")
    {
        Description = "Checkpoint to score; the first is the base that others are compared with; without NAME the file's name is taken",
        HelpName = "[NAME=]PATH",
        Required = true,
    };

    private readonly Option<string[]> _sets = new("--evaluation")
    {
        Description = "Labelled set; names that are known: clean, attacked, attacked-heldout, words, words-heldout",
        HelpName = "NAME=FOLDER",
        Required = true,
    };

    private readonly Option<string?> _tokenizer = new("--tokenizer") { Description = "Vocabulary of the models [default: beside the first checkpoint]", HelpName = "FILE" };
    private readonly Option<string[]> _set = new("--set") { Description = "Change a parameter, for example evaluation.resamples=200", HelpName = "SECTION.KEY=VALUE" };

    public EvaluateVerb()
        : base(
            "evaluate",
            "Score models side by side on labelled sets, clean and attacked, with 95 % intervals.",
            "clipsae evaluate --model base=base/model.safetensors --model tuned=tuned.safetensors --evaluation clean=world/evaluation/clean --evaluation attacked=world/evaluation/attacked",
            "clipsae evaluate --model ViT-L-14.safetensors --tokenizer bpe_simple_vocab_16e6.txt.gz --evaluation attacked=SCAM --json")
    {
        foreach (var option in new Option[] { _models, _sets, _tokenizer, _set })
        {
            Add(option);
        }
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var models = arguments.GetValue(_models)!.Select(Model).ToArray();
        var sets = arguments.GetValue(_sets)!.Select(given => NamedFolder.Parse("--evaluation", given)).ToArray();
        var tokenizer = GivenPath.File("--tokenizer", arguments.GetValue(_tokenizer)) ?? ClipTokenizer.FileBeside(models[0].File);
        if (models.Select(model => model.Name).Distinct(StringComparer.Ordinal).Count() < models.Length)
        {
            throw new WrongUseException("two models have one name: name them with --model NAME=FILE");
        }

        await using var runtime = Workplace.OpenHere(session);
        var stage = runtime.Stages[ParameterSections.Evaluation];
        var parameters = await Workplace.CheckedAsync(() => Task.FromResult(stage.Normalize(
            ParameterOverrides.Apply(session.OnDevice([], runtime.DefaultParameters()), arguments.GetValue(_set) ?? [], runtime.DefaultParameters())["evaluation"] as JsonObject ?? [])));
        var inputs = new RunInputs(runtime, session);
        foreach (var (name, folder) in sets)
        {
            await inputs.AddEvaluationAsync(name, folder, new ImportOptions(), cancel);
        }

        var results = await ScoreAsync(runtime, stage, parameters, await InputsAsync(runtime, inputs, models, tokenizer, cancel), session, cancel);
        var shown = results.Models.Select((scores, place) => (models[place].Name, scores.Sets)).ToArray();
        session.Answer(
            new JsonObject
            {
                ["models"] = new JsonArray([.. shown.Select(model => new JsonObject
                {
                    ["name"] = model.Name,
                    ["sets"] = JsonSerializer.SerializeToNode(model.Sets, ContractJson.Options),
                })]),
            },
            console => Write(console, shown));
        return ExitCode.Done;
    }

    private static (string Name, string File) Model(string given)
    {
        var equals = given.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && !Path.Exists(given)
            ? (given[..equals], GivenPath.FileOrFolder("--model", given[(equals + 1)..]))
            : (Path.GetFileNameWithoutExtension(given), GivenPath.FileOrFolder("--model", given));
    }

    private static async Task<Dictionary<string, ArtifactRef>> InputsAsync(
        ClipSaeRuntime runtime, RunInputs sets, (string Name, string File)[] models, string tokenizer, CancellationToken cancel)
    {
        var inputs = sets.All.ToDictionary(input => input.Key.Replace("evaluation:", "evaluation/", StringComparison.Ordinal), input => input.Value);
        inputs["tokenizer"] = await runtime.Artifacts.PutFileAsync(tokenizer, "tokenizer", "text/plain", cancel);
        for (var place = 0; place < models.Length; place++)
        {
            // Numbered, so that they come back in the order in which they were given.
            var name = place == 0 ? "base" : string.Create(CultureInfo.InvariantCulture, $"models/{place:D3}");
            inputs[name] = await ModelFiles.PutAsync(runtime.Artifacts, models[place].File, models[place].Name, cancel);
        }

        return inputs;
    }

    private static async Task<EvaluationResults> ScoreAsync(
        ClipSaeRuntime runtime, IStage stage, JsonObject parameters, Dictionary<string, ArtifactRef> inputs, Session session, CancellationToken cancel)
    {
        var scratch = Directory.CreateTempSubdirectory("clipsae-evaluate-");
        try
        {
            var context = new StageContext
            {
                Stage = stage.Name,
                Parameters = parameters,
                Inputs = inputs,
                Artifacts = runtime.Artifacts,
                Scratch = scratch.FullName,
                Log = new LineLoggerProvider(session).CreateLogger(stage.Name),
                Time = session.Time,
            };
            var result = await stage.RunAsync(context, cancel);
            var json = await File.ReadAllBytesAsync(await runtime.Artifacts.FetchAsync(result.Outputs["results"], cancel), cancel);
            return JsonSerializer.Deserialize<EvaluationResults>(json, ContractJson.Options)!;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static void Write(IAnsiConsole console, IEnumerable<(string Name, IReadOnlyDictionary<string, SetScores> Sets)> models)
    {
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumns("model", "set");
        foreach (var title in new[] { "accuracy", "95 % interval", "attack success", "object against word" })
        {
            table.AddColumn(new TableColumn(title).RightAligned());
        }

        foreach (var (name, sets) in models)
        {
            foreach (var (set, scores) in sets)
            {
                table.AddRow(
                    name.EscapeMarkup(), set.EscapeMarkup(), Amounts.Share(scores.Accuracy.Value), $"{Amounts.Share(scores.Accuracy.Low)} … {Amounts.Share(scores.Accuracy.High)}",
                    Amounts.Share(scores.AttackSuccess?.Value), Amounts.Share(scores.BinaryAccuracy?.Value));
            }
        }

        console.Write(table);
    }
}
