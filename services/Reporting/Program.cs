using ClipSae.Hosting.Service;
using ClipSae.Reporting;

return await ServiceHost.RunAsync(args, services => services.AddReporting());
