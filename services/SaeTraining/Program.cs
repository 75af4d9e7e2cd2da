using ClipSae.Hosting;
using ClipSae.SaeTraining;

return await ServiceHost.RunAsync(args, services => services.AddSaeTraining());
