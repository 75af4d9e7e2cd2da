using System.Runtime.InteropServices;
using ClipSae.Hosting.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Hosting.Service;

/// <summary>Runs a program that asks and reads, and works on nothing, as a process of its own.</summary>
public static class ClientHost
{
    private const int Failed = 1;

    /// <summary>Connects to the distributed system that the environment names, and serves until asked to stop (Ctrl-C, SIGTERM).</summary>
    /// <param name="name">What the process is called in spans, metrics and logs.</param>
    /// <param name="serve">Ends when it is asked to.</param>
    /// <returns>Exit code: 0 stopped, 1 failed.</returns>
    public static async Task<int> RunAsync(string name, Func<DistributedRuntime, CancellationToken, Task> serve)
    {
        using var stopping = new CancellationTokenSource();
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            var options = ClipSaeSettings.Read(new ConfigurationBuilder().AddEnvironmentVariables().Build());
            options.Validate();
            UserErrorException.ThrowIf(
                !options.IsDistributed,
                "this program shows the runs of a broker: "
                    + "set ClipSae__Bus=rabbitmq, or use clipsae ui, which shows those of a data folder"
            );

            OwnFiles.KeepToOwner();
            await using var runtime = DistributedRuntime.Create(options, services =>
                services.AddSingleton(new ServiceName(name)).AddLogging(logging => LogFormat.Apply(logging, options.LogFormat))
            );
            await runtime.ConnectAsync(stopping.Token);
            await serve(runtime, stopping.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception error) when (error is UserErrorException or TimeoutException)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return Failed;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
    }
}
