using System.Globalization;
using ClipSae.Servers;

namespace ClipSae.Distributed;

/// <summary>Servers that nothing has used yet, both encrypted, with certificates of authorities that the system does not know.</summary>
public sealed class TlsTests(DistributedSystem system) : IAsyncLifetime
{
    private Broker _broker = null!;
    private ObjectServer _objects = null!;

    public async ValueTask InitializeAsync()
    {
        var starting = (Broker: Broker.StartAsync(tls: true), Objects: ObjectServer.StartAsync(tls: true));
        _broker = await starting.Broker;
        _objects = await starting.Objects;
        await _objects.MakeBucketAsync("clipsae");
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _objects.DisposeAsync();
    }

    [Fact]
    public async Task A_process_works_over_encrypted_connections_and_takes_no_stranger_for_its_servers()
    {
        (await _broker.PublishAsync("amq.default", "dataset-ready", "{}")).ShouldBeFalse(
            "an event that comes before any process has declared its queue is refused, not lost"
        );
        using var trusting = Process("tls-trusting", _broker.AuthorityFile, _objects.AuthorityFile);
        trusting.Start();
        await DistributedSystem.LogsAsync(trusting, "Application started", 1);
        (await _broker.QueuesAsync()).Select(queue => queue!["name"]!.GetValue<string>()).ShouldContain("coordinator");
        (await trusting.StopAsync()).ShouldBe(0, trusting.Log);

        await ShouldRefuseAsync(
            "tls-broker",
            Process("tls-broker", _objects.AuthorityFile, _objects.AuthorityFile),
            "no encrypted connection to the broker",
            "CertificateAuthorityFile"
        );
        await ShouldRefuseAsync(
            "tls-store",
            Process("tls-store", _broker.AuthorityFile, _broker.AuthorityFile),
            "no encrypted connection to the object store",
            "CertificateAuthorityFile"
        );
        await ShouldRefuseAsync(
            "tls-none",
            Process("tls-none", "/no/such/file", _objects.AuthorityFile),
            "cannot read /no/such/file",
            "ClipSae:Broker:CertificateAuthorityFile"
        );
    }

    private static async Task ShouldRefuseAsync(string name, ServiceProcess process, string said, string mend)
    {
        using (process)
        {
            process.Start();
            (await process.EndAsync()).ShouldBe(1, name + process.Log);
            process.Log.Trim().Split('\n').Length.ShouldBe(1, process.Log);
            process.Log.ShouldContain(said);
            process.Log.ShouldContain(mend);
        }
    }

    private ServiceProcess Process(string name, string brokerAuthority, string storeAuthority) =>
        system.NewProcess(
            "coordinator",
            name,
            ("ClipSae__Broker__Port", _broker.Port.ToString(CultureInfo.InvariantCulture)),
            ("ClipSae__Broker__PasswordFile", _broker.PasswordFile(Broker.Coordinator)),
            ("ClipSae__Broker__Tls", "true"),
            ("ClipSae__Broker__CertificateAuthorityFile", brokerAuthority),
            ("ClipSae__S3__Endpoint", _objects.Endpoint),
            ("ClipSae__S3__AccessKeyFile", _objects.AccessKeyFile),
            ("ClipSae__S3__SecretKeyFile", _objects.SecretKeyFile),
            ("ClipSae__S3__CertificateAuthorityFile", storeAuthority)
        );
}
