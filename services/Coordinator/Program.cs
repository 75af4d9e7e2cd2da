using ClipSae.Coordinator;
using ClipSae.Hosting;

return await ServiceHost.RunAsync(args, services => services.AddCoordinator().AddStalledRuns());
