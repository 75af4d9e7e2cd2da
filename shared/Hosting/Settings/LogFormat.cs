using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace ClipSae.Hosting.Settings;

/// <summary>How a service writes its log: one line an entry, with its time in UTC.</summary>
internal static class LogFormat
{
    public const string Text = "text";
    public const string Json = "json";
    private const string Stamp = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static void Apply(ILoggingBuilder logging, string format)
    {
        logging.ClearProviders();
        if (format == Json)
        {
            logging.AddJsonConsole(json =>
            {
                json.UseUtcTimestamp = true;
                json.TimestampFormat = Stamp;
            });
        }
        else
        {
            logging.AddSimpleConsole(line =>
            {
                line.SingleLine = true;
                line.UseUtcTimestamp = true;
                line.TimestampFormat = Stamp + " ";
                line.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
    }
}
