using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace ClipSae.Servers;

/// <summary>RabbitMQ with a node, ports, folder and users of its own.</summary>
public sealed class Broker : IAsyncDisposable
{
    // AMQP, HTTP API, two for Erlang's own, metrics: the script takes the five that follow the first.
    private const int Ports = 5;
    private readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("clipsae-broker-").FullName, "server");
    private readonly HttpClient _http = new();

    private Broker(int port) => Port = port;

    public int Port { get; }

    /// <summary>Who may do everything.</summary>
    public const string Operator = "clipsae";

    /// <summary>Users that may do what their part asks for: infra/rabbitmq/users.sh.</summary>
    public const string Coordinator = "clipsae-coordinator",
        Worker = "clipsae-worker",
        Submitter = "clipsae-submitter";

    public string PasswordFile(string user) => Path.Combine(_folder, "users", user + ".password");

    public string Password(string user) => File.ReadAllText(PasswordFile(user));

    /// <summary>The authority of the broker's certificate, where it has one.</summary>
    public string AuthorityFile => Path.Combine(_folder, "tls", "ca.pem");

    /// <param name="tls">Whether AMQP is encrypted, with a certificate of an authority of the broker's own.</param>
    public static async Task<Broker> StartAsync(bool tls = false)
    {
        var broker = new Broker(FreePort.Next(Ports));
        if (tls)
        {
            OwnAuthority.Write(Path.Combine(broker._folder, "tls"));
        }

        await broker.ResumeAsync();
        broker._http.BaseAddress = new Uri($"http://127.0.0.1:{broker.Port + 1}/api/");
        broker._http.DefaultRequestHeaders.Authorization = broker.Basic(Operator);
        return broker;
    }

    /// <summary>Stops the broker; what its queues hold stays.</summary>
    public Task PauseAsync() => Script.RunAsync("broker.sh", "stop", _folder);

    public Task ResumeAsync() => Script.RunAsync("broker.sh", "start", _folder, Port.ToString(CultureInfo.InvariantCulture));

    /// <summary>Publishes a text over the HTTP API, as any client can.</summary>
    /// <returns>Whether a queue took it.</returns>
    public async Task<bool> PublishAsync(
        string exchange,
        string key,
        string text,
        string host = "/",
        string contentType = "application/json",
        string user = Operator
    )
    {
        var message = new JsonObject
        {
            ["properties"] = new JsonObject { ["content_type"] = contentType, ["delivery_mode"] = 2 },
            ["routing_key"] = key,
            ["payload"] = text,
            ["payload_encoding"] = "string",
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"exchanges/{Name(host)}/{Uri.EscapeDataString(exchange)}/publish")
        {
            Content = JsonContent.Create(message),
        };
        request.Headers.Authorization = Basic(user);
        using var answer = await _http.SendAsync(request);
        return answer.IsSuccessStatusCode && (await answer.Content.ReadFromJsonAsync<JsonObject>())!["routed"]!.GetValue<bool>();
    }

    /// <summary>Looks at the messages of a queue and leaves them there: text and headers.</summary>
    public async Task<IReadOnlyList<(string Text, JsonObject Headers)>> PeekAsync(string queue, string host = "/")
    {
        using var answer = await _http.PostAsJsonAsync(
            $"queues/{Name(host)}/{queue}/get",
            new JsonObject
            {
                ["count"] = 100,
                ["ackmode"] = "ack_requeue_true",
                ["encoding"] = "auto",
            }
        );
        return !answer.IsSuccessStatusCode
            ? []
            :
            [
                .. (await answer.Content.ReadFromJsonAsync<JsonArray>())!.Select(message =>
                    (message!["payload"]!.GetValue<string>(), message["properties"]!["headers"] as JsonObject ?? [])
                ),
            ];
    }

    /// <summary>All queues with what the broker knows of them.</summary>
    public async Task<JsonArray> QueuesAsync(string host = "/") => (await _http.GetFromJsonAsync<JsonArray>($"queues/{Name(host)}"))!;

    /// <summary>Makes a virtual host: queues that nothing else sees.</summary>
    public async Task AddVirtualHostAsync(string host)
    {
        (await _http.PutAsJsonAsync($"vhosts/{host}", new JsonObject())).EnsureSuccessStatusCode();
        // Each user may there what it may elsewhere.
        foreach (
            var may in JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "users", "definitions.json")))![
                "permissions"
            ]!.AsArray()
        )
        {
            var rights = new JsonObject
            {
                ["configure"] = may!["configure"]!.GetValue<string>(),
                ["write"] = may["write"]!.GetValue<string>(),
                ["read"] = may["read"]!.GetValue<string>(),
            };
            (await _http.PutAsJsonAsync($"permissions/{host}/{may["user"]}", rights)).EnsureSuccessStatusCode();
        }
    }

    /// <summary>Closes every connection to a virtual host by force; gives how many there were.</summary>
    public async Task<int> CloseConnectionsAsync(string host)
    {
        var connections = (await _http.GetFromJsonAsync<JsonArray>($"vhosts/{host}/connections"))!
            .Select(connection => connection!["name"]!.GetValue<string>())
            .ToArray();
        foreach (var connection in connections)
        {
            using var answer = await _http.DeleteAsync(new Uri($"connections/{Uri.EscapeDataString(connection)}", UriKind.Relative));
        }

        return connections.Length;
    }

    /// <summary>Waits until so many messages are in a queue; the broker counts every few seconds.</summary>
    public async Task WaitForAsync(string queue, int messages)
    {
        for (var look = 0; look < 300; look++)
        {
            var found = (await QueuesAsync()).FirstOrDefault(one => one!["name"]!.GetValue<string>() == queue);
            if ((found?["messages"]?.GetValue<int>() ?? 0) >= messages)
            {
                return;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException($"{messages} messages did not come to queue {queue}");
    }

    /// <summary>Loses what waits in a queue, as a broker does whose disk is replaced.</summary>
    public async Task LoseAsync(string queue)
    {
        using var answer = await _http.DeleteAsync(new Uri($"queues/%2f/{queue}/contents", UriKind.Relative));
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>All consumers with their queue and prefetch count.</summary>
    public async Task<JsonArray> ConsumersAsync(string host = "/") => (await _http.GetFromJsonAsync<JsonArray>($"consumers/{Name(host)}"))!;

    /// <summary>What the broker tells Prometheus at the address that infra/observability/prometheus.yaml asks.</summary>
    public Task<string> MetricsAsync() =>
        _http.GetStringAsync(
            new Uri($"http://127.0.0.1:{Port + 4}/metrics/detailed?family=queue_coarse_metrics&family=queue_consumer_count")
        );

    private AuthenticationHeaderValue Basic(string user) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{Password(user)}")));

    private static string Name(string host) => Uri.EscapeDataString(host);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Script.RunAsync("broker.sh", "kill", _folder);
        Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);
    }
}
