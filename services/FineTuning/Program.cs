using ClipSae.Hosting;
using ClipSae.FineTuning;

return await ServiceHost.RunAsync(args, services => services.AddFineTuning());
