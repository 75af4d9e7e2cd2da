using ClipSae.Hosting;
using ClipSae.WeightConversion;

return await ServiceHost.RunAsync(args, services => services.AddWeightConversion());
