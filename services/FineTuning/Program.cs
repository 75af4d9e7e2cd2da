using ClipSae.FineTuning;
using ClipSae.Hosting.Service;

return await ServiceHost.RunAsync(args, services => services.AddFineTuning());
