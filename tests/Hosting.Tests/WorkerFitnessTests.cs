using System.Runtime.InteropServices;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.Hosting.Tests;

/// <summary>What is the worker's fault rather than its unit's, and when it is over.</summary>
public sealed class WorkerFitnessTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TemporaryFolder _folder = new();
    private bool _deviceComputes = true;

    public static TheoryData<string, Exception> Passing { get; } =
        new()
        {
            { "a full disk", new IOException("No space left on device", 28) },
            { "a disk mounted read-only", new IOException("Read-only file system", 30) },
            { "a damaged disk", new IOException("Input/output error", 5) },
            {
                "a work folder without rights",
                new UserErrorException("no permission to write /work/x", new UnauthorizedAccessException("denied"))
            },
            {
                "no file handle left in the process",
                new InvalidOperationException("cannot load", new IOException("Too many open files", 24))
            },
            { "no file handle left in the machine", new IOException("Too many open files in system", 23) },
            { "memory of .NET", new OutOfMemoryException() },
            {
                "memory of libtorch, however little a unit asks for",
                new UserErrorException(
                    "does not suffice",
                    new ExternalException(
                        "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: "
                            + "you tried to allocate 4096 bytes"
                    )
                )
            },
            { "memory for a mapping", new IOException("Cannot allocate memory", 12) },
        };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Passing))]
    public void A_passing_fault_takes_the_worker_out_until_it_is_over(string what, Exception error)
    {
        var fitness = Fitness();
        fitness.Unfit().ShouldBeNull();

        fitness.Leave(fitness.FaultIn(error).ShouldNotBeNull(what));

        fitness.Unfit().ShouldBe(error.Message);
        _time.Advance(TimeSpan.FromSeconds(11));
        fitness.Unfit().ShouldBeNull();
    }

    [Fact]
    public void A_work_folder_that_takes_no_files_takes_the_worker_out_until_it_does()
    {
        var gone = _folder.File("gone");
        File.WriteAllText(gone, "in its place");
        var fitness = Fitness(gone);
        fitness.Leave(
            fitness.FaultIn(new DirectoryNotFoundException($"Could not find a part of the path '{gone}/work/x'")).ShouldNotBeNull()
        );

        _time.Advance(TimeSpan.FromSeconds(11));
        fitness.Unfit().ShouldNotBeNull().ShouldContain("Could not find");
        File.Delete(gone);
        _time.Advance(TimeSpan.FromSeconds(11));

        fitness.Unfit().ShouldBeNull();
    }

    [Fact]
    public void A_device_of_its_own_that_is_not_there_takes_the_worker_out_until_it_is()
    {
        var fitness = Fitness(device: "cuda:0");
        var error = new UserErrorException("device 'cuda:0' is not there: no driver");
        fitness.FaultIn(error).ShouldBeNull("while the device computes, it is the unit's");
        _deviceComputes = false;

        fitness.Leave(fitness.FaultIn(error).ShouldNotBeNull());

        _time.Advance(TimeSpan.FromSeconds(11));
        fitness.Unfit().ShouldBe(error.Message);
        _deviceComputes = true;
        _time.Advance(TimeSpan.FromSeconds(11));
        fitness.Unfit().ShouldBeNull();
    }

    [Fact]
    public void Libraries_that_do_not_load_are_not_over_before_the_process_is()
    {
        var fitness = Fitness();
        fitness.Leave(fitness.FaultIn(new TypeInitializationException("torch", new DllNotFoundException("libtorch"))).ShouldNotBeNull());

        _time.Advance(TimeSpan.FromDays(1));

        fitness.Unfit().ShouldNotBeNull();
    }

    [Fact]
    public void What_is_wrong_with_the_unit_or_the_store_is_no_fault_of_the_worker()
    {
        _deviceComputes = false; // it has none of its own
        Exception[] others =
        [
            new UserErrorException("sae.k = 9: at most 8"),
            new UserErrorException(
                "the device's memory does not suffice: lower tuning.batch",
                new ExternalException("CUDA out of memory. Tried to allocate 2.00 GiB")
            ),
            new FileNotFoundException("no such shard"),
            new HttpRequestException("connection refused", new IOException("reset")),
            new InvalidDataException("not a JPEG"),
        ];

        others.ShouldAllBe(error => Fitness().FaultIn(error) == null);
    }

    private WorkerFitness Fitness(string? folder = null, string? device = null) =>
        new(
            new ClipSaeOptions { DataFolder = folder ?? _folder.Path, Device = device },
            [
                new DeviceProbe(
                    (_, _) => { },
                    name => _ = _deviceComputes ? name : throw new UserErrorException($"device '{name}' is not there"),
                    _ => null
                ),
            ],
            _time,
            NullLogger<WorkerFitness>.Instance
        );
}
