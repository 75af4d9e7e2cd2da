using ClipSae.Hosting.Service;
using ClipSae.WeightConversion;

return await ServiceHost.RunAsync(args, services => services.AddWeightConversion());
