using ClipSae.Hosting.Service;
using ClipSae.ZeroShotEvaluation;

return await ServiceHost.RunAsync(args, services => services.AddZeroShotEvaluation());
