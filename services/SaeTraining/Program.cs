using ClipSae.Hosting.Service;
using ClipSae.SaeTraining;

return await ServiceHost.RunAsync(args, services => services.AddSaeTraining());
