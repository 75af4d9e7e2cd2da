using System.Globalization;

namespace ClipSae.Hosting.Settings;

/// <summary>Where RabbitMQ is: configuration section <c>ClipSae:Broker</c>.</summary>
public sealed record BrokerOptions
{
    private const string Section = "ClipSae:Broker";

    /// <summary>Host name. Default <c>localhost</c>.</summary>
    public string Host { get; init; } = "localhost";

    /// <summary>Port. Default 5672, with TLS usually 5671.</summary>
    public int Port { get; init; } = 5672;

    /// <summary>Virtual host. Default <c>/</c>.</summary>
    public string VirtualHost { get; init; } = "/";

    /// <summary>User. No default.</summary>
    public string User { get; init; } = "";

    /// <summary>Password. No default; <see cref="PasswordFile"/> may name a file that holds it instead.</summary>
    public string Password { get; init; } = "";

    /// <summary>File with the password.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>Whether the connection is encrypted. Default no.</summary>
    public bool Tls { get; init; }

    /// <summary>PEM file with the certificate authority of the broker, where the system does not know it.</summary>
    public string? CertificateAuthorityFile { get; init; }

    /// <summary>How often a unit may kill its worker before it is set aside and its run fails. Default 5.</summary>
    public int DeliveryLimit { get; init; } = 5;

    /// <summary>
    /// How often broker and process confirm to each other that they are there. Two that are missing in a row cut the connection: units of a
    /// process that was lost silently go to another after at most three times as long. Default 10 s.
    /// </summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a starting process waits for the broker. Default 1 min; commands that a person waits for take 10 s.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <exception cref="UserErrorException">A value is missing or impossible; the message names it.</exception>
    public void Validate()
    {
        if (Host.Length == 0 || Port is < 1 or > 65535)
        {
            throw new UserErrorException(
                string.Create(CultureInfo.InvariantCulture, $"{Section}: Host = '{Host}', Port = {Port}: expected a host name and a port")
            );
        }

        UserErrorException.ThrowIf(
            User.Length == 0 || ReadPassword().Length == 0,
            $"{Section}: User and Password (or PasswordFile) are missing "
                + $"(environment: ClipSae__Broker__User, ClipSae__Broker__Password)"
        );
        UserErrorException.ThrowIf(
            Heartbeat < TimeSpan.FromSeconds(1) || Heartbeat > TimeSpan.FromHours(1),
            $"{Section}:Heartbeat must be from 1 s to 1 h"
        );
        UserErrorException.ThrowIf(DeliveryLimit < 1, $"{Section}:DeliveryLimit must be at least 1");
    }

    /// <summary>Everything but the password.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(Tls ? "amqps" : "amqp")}://{Host}:{Port}{(VirtualHost == "/" ? "" : "/" + VirtualHost)}"
        );

    internal string ReadPassword()
    {
        if (string.IsNullOrEmpty(PasswordFile))
        {
            return Password;
        }

        try
        {
            return File.ReadAllText(PasswordFile).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{Section}: cannot read {PasswordFile} ({error.Message.TrimEnd('.')})", error);
        }
    }
}
