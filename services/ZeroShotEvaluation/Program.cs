using ClipSae.Hosting;
using ClipSae.ZeroShotEvaluation;

return await ServiceHost.RunAsync(args, services => services.AddZeroShotEvaluation());
