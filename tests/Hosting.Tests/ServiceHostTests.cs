using ClipSae.Hosting.Service;

namespace ClipSae.Hosting.Tests;

public class ServiceHostTests
{
    [Theory]
    [InlineData("--devise cuda:0", "unknown argument --devise; did you mean --device?")]
    [InlineData("--once=yes", "unknown argument --once=yes; did you mean --once?")]
    [InlineData("--device", "--device: expected cpu or cuda:N after it")]
    [InlineData("--torch", "--torch: expected the folder of a PyTorch after it")]
    [InlineData("--ClipSae:Bus=rabbitmq", "unknown argument --ClipSae:Bus=rabbitmq; known are --device, --help, --once, --torch")]
    public async Task An_argument_that_there_is_not_is_wrong_use(string arguments, string said)
    {
        var (code, _, error) = await RunAsync(arguments.Split(' '));

        code.ShouldBe(2);
        error.ShouldBe(said + Environment.NewLine);
    }

    [Fact]
    public async Task Help_is_given_without_a_broker()
    {
        var (code, text, error) = await RunAsync("--help");

        code.ShouldBe(0);
        error.ShouldBeEmpty();
        foreach (var flag in new[] { "--device", "--torch", "--once", "--help" })
        {
            text.ShouldContain(flag);
        }
    }

    [Fact]
    public async Task Without_a_broker_a_service_says_so()
    {
        var (code, _, error) = await RunAsync("--once", "--device=cpu");

        code.ShouldBe(1);
        error.ShouldContain("set ClipSae__Bus=rabbitmq");
    }

    private static async Task<(int Code, string Text, string Error)> RunAsync(params string[] arguments)
    {
        var (before, beforeError) = (Console.Out, Console.Error);
        using var text = new StringWriter();
        using var error = new StringWriter();
        Console.SetOut(text);
        Console.SetError(error);
        try
        {
            return (await ServiceHost.RunAsync("test", arguments, _ => { }), text.ToString(), error.ToString());
        }
        finally
        {
            Console.SetOut(before);
            Console.SetError(beforeError);
        }
    }
}
