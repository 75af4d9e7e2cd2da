namespace ClipSae.Cli.Tests;

public class WrongUseTests
{
    [Theory]
    [InlineData("unknown verb 'demoo': did you mean demo? See 'clipsae --help'", "demoo")]
    [InlineData("unknown option --dataste for 'run': did you mean --dataset", "run", "--dataste", "x")]
    [InlineData("unknown option --jsom: did you mean --json? See 'clipsae --help'", "--jsom")]
    [InlineData("'doctor' takes no argument 'extra'; see 'clipsae doctor --help'", "doctor", "extra")]
    [InlineData("option --context cannot take 'many': expected a whole number; see 'clipsae tokenize --help'", "tokenize", "a", "--context", "many")]
    [InlineData("say what to do, for example 'clipsae demo'; see 'clipsae --help'")]
    [InlineData("<text> is missing; see 'clipsae tokenize --help'", "tokenize")]
    [InlineData("--tokenizer: there is no file /nowhere/bpe.txt", "tokenize", "a", "--tokenizer", "/nowhere/bpe.txt")]
    public async Task Wrong_use_is_one_line_and_exit_code_2(string expected, params string[] args)
    {
        var run = await CommandRun.OfAsync(args);

        run.Code.ShouldBe(2);
        run.Out.ShouldBeEmpty();
        run.Error.ShouldStartWith($"clipsae: {expected}");
        run.Error.TrimEnd('\n').ShouldNotContain("\n");
    }

    [Theory]
    [InlineData("demoo")]
    [InlineData("tokenize", "a", "--tokenizer", "/nowhere/bpe.txt")]
    public async Task With_json_an_error_is_one_object_on_standard_output(params string[] args)
    {
        var run = await CommandRun.OfAsync([.. args, "--json"]);

        run.Code.ShouldBe(2);
        run.Json["error"]!.GetValue<string>().ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("/bin")]
    [InlineData("/nowhere")]
    public void A_path_that_is_no_file_is_refused_by_name(string path) =>
        Should.Throw<WrongUseException>(() => GivenPath.File("--model", path)).Message.ShouldContain(path);
}
