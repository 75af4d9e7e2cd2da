using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>Wall-clock time of work that a device does after the call has returned.</summary>
internal static class Timing
{
    /// <summary>Seconds of one call, the median over rounds of several calls each; the device has finished at both ends.</summary>
    /// <param name="device">What is waited for.</param>
    /// <param name="rounds">How often; one round before them warms up.</param>
    /// <param name="calls">Calls a round, so that their launches overlap as they do in use.</param>
    public static double Seconds(torch.Device device, int rounds, int calls, Action work)
    {
        void Round()
        {
            for (var i = 0; i < calls; i++)
            {
                work();
            }

            Await(device);
        }

        Round();
        return Measure.Median(Enumerable.Range(0, rounds).Select(_ => Measure.Seconds(Round))) / calls;
    }

    /// <summary>Returns when the device has done everything it was given.</summary>
    public static void Await(torch.Device device)
    {
        if (device.type == DeviceType.CUDA)
        {
            torch.cuda.synchronize();
        }
    }
}
