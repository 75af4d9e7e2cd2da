using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace ClipSae.Servers;

/// <summary>Ports of the loopback address that nobody listens on.</summary>
public static class FreePort
{
    // Below the ports that the system gives to outgoing connections: one of those may be taken between the look and the use.
    private const int Lowest = 20_000;
    private const int Highest = 32_000;

    /// <summary>The first of as many free ports in a row as asked for.</summary>
    public static int Next(int inRow = 1)
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(Lowest, Highest - inRow);
            if (Enumerable.Range(port, inRow).All(IsFree))
            {
                return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
