using Microsoft.Extensions.Time.Testing;

namespace ClipSae.TestKit.Clocks;

/// <summary>Fake time that passes by itself.</summary>
public static class PassingTime
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(1);

    /// <summary>Lets fake time pass until the task has ended, however often it waits.</summary>
    public static async Task<T> PassUntilAsync<T>(this FakeTimeProvider time, Task<T> task)
    {
        await time.PassUntilAsync((Task)task);
        return await task;
    }

    /// <inheritdoc cref="PassUntilAsync{T}"/>
    public static async Task PassUntilAsync(this FakeTimeProvider time, Task task)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!task.IsCompleted)
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(Timeout, "what is waited for does not end");
            time.Advance(Step);
            await Task.Delay(1); // for what runs on other threads
        }

        await task;
    }
}
