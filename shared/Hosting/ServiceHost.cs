using ClipSae.Contracts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting;

/// <summary>Runs one service as a process of its own: defaults, what it adds, run.</summary>
public static class ServiceHost
{
    /// <summary>Runs until told to stop (Ctrl-C, SIGTERM).</summary>
    /// <returns>Exit code: 0 stopped, 1 failed.</returns>
    public static async Task<int> RunAsync(string[] args, Action<IServiceCollection> configure)
    {
        try
        {
            var builder = Host.CreateApplicationBuilder(args);
            var options = builder.Configuration.GetSection(ClipSaeOptions.Section).Get<ClipSaeOptions>() ?? new ClipSaeOptions();
            if (options.Bus == "memory")
            {
                throw new UserErrorException("a service by itself hears nothing on the in-memory bus: use clipsae, which hosts every service in one process");
            }

            configure(builder.Services);
            builder.Services.AddClipSae(options);
            await builder.Build().RunAsync();
            return 0;
        }
        catch (UserErrorException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 1;
        }
    }
}
