using System.Diagnostics;
using System.Globalization;

namespace ClipSae.Servers;

/// <summary>Ceph's RADOS gateway on a port and in a folder of its own, with keys of its own; what it holds is gone when it stops.</summary>
public sealed class ObjectServer : IAsyncDisposable
{
    private readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("clipsae-s3-").FullName, "server");

    private readonly bool _tls;

    private ObjectServer(int port, bool tls) => (Port, _tls) = (port, tls);

    public int Port { get; }

    public string Endpoint => $"{(_tls ? "https" : "http")}://127.0.0.1:{Port}";

    /// <summary>The authority of the server's certificate, where it has one.</summary>
    public string AuthorityFile => Path.Combine(_folder + ".tls", "ca.pem");

    public string AccessKey => File.ReadAllText(AccessKeyFile);

    public string AccessKeyFile => Path.Combine(_folder, "access-key");

    public string SecretKey => File.ReadAllText(SecretKeyFile);

    public string SecretKeyFile => Path.Combine(_folder, "secret-key");

    /// <param name="tls">Whether only https is spoken, with a certificate of an authority of the server's own.</param>
    public static async Task<ObjectServer> StartAsync(bool tls = false)
    {
        var server = new ObjectServer(FreePort.Next(), tls);
        if (tls)
        {
            OwnAuthority.Write(server._folder + ".tls");
        }

        await Script.RunAsync("s3.sh", "start", server._folder, server.Port.ToString(CultureInfo.InvariantCulture), "memory");
        return server;
    }

    /// <summary>Processor time of its processes so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            var sum = TimeSpan.Zero;
            foreach (var file in Directory.GetFiles(_folder, "*.pid"))
            {
                using var process = Process.GetProcessById(int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture));
                sum += process.TotalProcessorTime;
            }

            return sum;
        }
    }

    /// <summary>Creates a bucket.</summary>
    public Task MakeBucketAsync(string name) => Script.RunAsync("s3.sh", "bucket", _folder, name);

    /// <summary>Does what the server's own administrator can do: users, quotas.</summary>
    public Task AdministerAsync(params string[] arguments) => Script.RunAsync("s3.sh", ["admin", _folder, .. arguments]);

    /// <summary>Stops the gateway as a crash of the machine that serves it would; what it holds stays.</summary>
    public Task PauseAsync() => Script.RunAsync("s3.sh", "pause", _folder);

    public Task ResumeAsync() => Script.RunAsync("s3.sh", "resume", _folder);

    public async ValueTask DisposeAsync()
    {
        await Script.RunAsync("s3.sh", "stop", _folder);
        Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);
    }
}
