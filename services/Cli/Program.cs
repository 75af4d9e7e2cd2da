using ClipSae.Cli;
using ClipSae.Cli.CommandLine;
using ClipSae.Tensors.Installation;

// Before anything computes: whatever loads libtorch first, OpenMP reads its settings then.
IdleThreads.WaitBriefly();
return await Application.RunAsync(args, ConsoleStreams.System(), TimeProvider.System);
