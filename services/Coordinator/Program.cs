using ClipSae.Coordinator;
using ClipSae.Hosting.Service;

return await ServiceHost.RunAsync(args, services => services.AddCoordinator().AddStalledRuns());
