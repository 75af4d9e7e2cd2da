using ClipSae.Servers;

namespace ClipSae.ObjectStorage.Tests;

/// <summary>How to reach the server that is none.</summary>
internal static class FakeServerOptions
{
    public static ObjectStorageOptions Options(this FakeServer server) =>
        new()
        {
            Endpoint = server.Endpoint,
            AccessKey = "a",
            SecretKey = "b",
            OutageTolerance = TimeSpan.FromSeconds(20),
            RequestTimeout = TimeSpan.FromHours(1), // fake time passes faster than the server answers
        };
}
