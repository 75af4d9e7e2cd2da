using ClipSae.Cli;
using ClipSae.Cli.CommandLine;

return await Application.RunAsync(args, ConsoleStreams.System(), TimeProvider.System);
