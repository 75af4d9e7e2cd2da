using ClipSae.Cli;

return await Application.RunAsync(args, ConsoleStreams.System(), TimeProvider.System);
