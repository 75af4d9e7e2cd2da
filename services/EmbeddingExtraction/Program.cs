using ClipSae.EmbeddingExtraction;
using ClipSae.Hosting.Service;

return await ServiceHost.RunAsync(args, services => services.AddEmbeddingExtraction());
