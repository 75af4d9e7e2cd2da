using ClipSae.Hosting;
using ClipSae.Reporting;

return await ServiceHost.RunAsync(args, services => services.AddReporting());
