using ClipSae.Hosting.Service;

namespace ClipSae.Web;

/// <summary>The pages as a process of the distributed system.</summary>
public static class WebService
{
    /// <summary>Serves the pages until asked to stop (Ctrl-C, SIGTERM).</summary>
    /// <returns>Exit code: 0 stopped, 1 failed.</returns>
    /// <exception cref="UserErrorException">An argument is unknown, has no value or an impossible one.</exception>
    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var arguments = WebArguments.Parse(args);
        if (arguments.Help)
        {
            await Console.Out.WriteAsync(WebArguments.HelpText);
            return 0;
        }

        return await ClientHost.RunAsync("web", arguments.ServeAsync);
    }
}
