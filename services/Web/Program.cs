using ClipSae.Hosting.Service;
using ClipSae.Web;

try
{
    var arguments = WebArguments.Parse(args);
    if (arguments.Help)
    {
        await Console.Out.WriteAsync(WebArguments.HelpText);
        return 0;
    }

    return await ClientHost.RunAsync(arguments.ServeAsync);
}
catch (UserErrorException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return WebArguments.WrongUse;
}
