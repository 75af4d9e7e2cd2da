using ClipSae.Hosting;
using ClipSae.EmbeddingExtraction;

return await ServiceHost.RunAsync(args, services => services.AddEmbeddingExtraction());
