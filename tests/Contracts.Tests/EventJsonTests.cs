using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClipSae.Contracts.Tests;

public class EventJsonTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly ArtifactRef Artifact = new("sha256:" + new string('a', 64), 3, "x/y", "a");

    // What is written here is stored in people's data folders: a change that breaks a line needs a new version of the event.
    public static TheoryData<RunEvent, string> Released { get; } =
        new()
        {
            {
                new RunStarted(
                    "r",
                    new RunPlan([
                        new StagePlan("s", new JsonObject { ["k"] = 1 }, [new UnitPlan("u", [], [new InputSelector("x", "a:b")])], []),
                    ]),
                    new RunSpec(
                        new Dictionary<string, ArtifactRef> { ["a:b"] = Artifact },
                        new JsonObject { ["sae"] = new JsonObject { ["k"] = 1 } },
                        7,
                        true,
                        new ReplayOrigin("o", "s")
                    )
                )
                {
                    At = At,
                },
                """{"type":"run-started/1","run":"r","plan":{"stages":[{"stage":"s","parameters":{"k":1}"""
                    + ""","units":[{"name":"u","parameters":{},"inputs":[{"as":"x","from":"a:b"}]}],"inputs":[]}]}"""
                    + ""","inputs":{"a:b":{"digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","length":3"""
                    + ""","mediaType":"x/y","name":"a"}},"parameters":{"sae":{"k":1}},"seed":7"""
                    + ""","origin":{"run":"o","fromStage":"s"},"verify":true,"at":"2026-11-23T12:00:00+00:00"}"""
            },
            {
                new UnitsRequested("s", ["u", "v"]) { At = At },
                """{"type":"units-requested/1","stage":"s","units":["u","v"],"at":"2026-11-23T12:00:00+00:00"}"""
            },
            {
                new UnitFinished(
                    "s",
                    "u",
                    "w",
                    "key",
                    new Dictionary<string, ArtifactRef>(),
                    new JsonObject { ["fvu"] = 0.5 },
                    new CacheOutcome(CacheKind.Miss, "new"),
                    1.5,
                    At
                )
                {
                    At = At,
                },
                """{"type":"unit-finished/1","key":"key","outputs":{},"figures":{"fvu":0.5}"""
                    + ""","cache":{"kind":"miss","reason":"new"},"seconds":1.5"""
                    + ""","startedAt":"2026-11-23T12:00:00+00:00","stage":"s","unit":"u","worker":"w","at":"2026-11-23T12:00:00+00:00"}"""
            },
            {
                new UnitFailed("s", "u", "w", "no room", 3) { At = At },
                """{"type":"unit-failed/1","reason":"no room","attempts":3,"detail":null"""
                    + ""","stage":"s","unit":"u","worker":"w","at":"2026-11-23T12:00:00+00:00"}"""
            },
            {
                new UnitsGivenUp("s", ["u"]) { At = At },
                """{"type":"units-given-up/1","stage":"s","units":["u"],"at":"2026-11-23T12:00:00+00:00"}"""
            },
            {
                new UnitStopped("s", "u", "w") { At = At },
                """{"type":"unit-stopped/1","stage":"s","unit":"u","worker":"w","at":"2026-11-23T12:00:00+00:00"}"""
            },
            {
                new RunCancelRequested("why") { At = At },
                """{"type":"run-cancel-requested/1","reason":"why","at":"2026-11-23T12:00:00+00:00"}"""
            },
            {
                new RunCancelled { At = At },
                """{"type":"run-cancelled/1","at":"2026-11-23T12:00:00+00:00"}"""
            },
            {
                new RunCompleted { At = At },
                """{"type":"run-completed/1","at":"2026-11-23T12:00:00+00:00"}"""
            },
            {
                new RunFailed("s", "u", "why") { At = At },
                """{"type":"run-failed/1","stage":"s","unit":"u","reason":"why","at":"2026-11-23T12:00:00+00:00"}"""
            },
        };

    [Theory]
    [MemberData(nameof(Released), DisableDiscoveryEnumeration = true)]
    public void A_released_event_keeps_its_form(RunEvent happened, string json)
    {
        var written = JsonSerializer.Serialize(happened, ContractJson.Options);
        JsonNode.DeepEquals(JsonNode.Parse(written), JsonNode.Parse(json)).ShouldBeTrue(written);

        var read = JsonSerializer.Deserialize<RunEvent>(json, ContractJson.Options)!;
        read.GetType().ShouldBe(happened.GetType());
        JsonSerializer.Serialize(read, ContractJson.Options).ShouldBe(written);
    }

    [Fact]
    public void A_run_that_someone_waits_for_says_so_and_another_says_nothing()
    {
        var quiet = new RunStarted("r", new RunPlan([]), new RunSpec(new Dictionary<string, ArtifactRef>(), [], 7)) { At = At };
        var awaited = quiet with { Spec = quiet.Spec with { Interactive = true } };
        string Written(RunStarted started) => JsonSerializer.Serialize<RunEvent>(started, ContractJson.Options);

        Written(quiet).ShouldNotContain("interactive");
        Written(awaited).ShouldContain("\"interactive\":true");
        ((RunStarted)JsonSerializer.Deserialize<RunEvent>(Written(awaited), ContractJson.Options)!).Spec.Interactive.ShouldBeTrue();
    }

    [Fact]
    public void A_stage_that_tolerates_failures_says_so_and_another_says_nothing()
    {
        var strict = new StagePlan("s", [], [], []);
        string Written(StagePlan plan) => JsonSerializer.Serialize(plan, ContractJson.Options);

        Written(strict).ShouldNotContain("tolerated");
        Written(strict with { ToleratedFailures = 0.25 }).ShouldContain("\"toleratedFailures\":0.25");
        JsonSerializer
            .Deserialize<StagePlan>(Written(strict with { ToleratedFailures = 0.25 }), ContractJson.Options)!
            .ToleratedFailures.ShouldBe(0.25);
    }

    [Fact]
    public void Every_event_has_a_versioned_name_and_a_released_form()
    {
        var events = typeof(RunEvent).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(RunEvent)) && !type.IsAbstract).ToArray();

        events.ShouldAllBe(type => type.IsSealed);
        events
            .Select(type => type.GetCustomAttribute<EventTypeAttribute>()?.Name ?? type.Name)
            .ShouldAllBe(name => System.Text.RegularExpressions.Regex.IsMatch(name, "^[a-z]+(-[a-z]+)*/[1-9][0-9]*$"));
        Released.Select(row => row.Data.Item1.GetType()).ShouldBe(events, ignoreOrder: true);
    }

    [Theory]
    [InlineData("""{"type":"run-completed/2","at":"2026-11-23T12:00:00+00:00"}""")]
    [InlineData("""{"type":"run-completed/1","at":"2026-11-23T12:00:00+00:00","more":1}""")]
    [InlineData("""{"type":"units-requested/1","stage":null,"units":[],"at":"2026-11-23T12:00:00+00:00"}""")]
    [InlineData("""{"type":"units-requested/1","units":[],"at":"2026-11-23T12:00:00+00:00"}""")]
    [InlineData("""{"type":"run-completed/1"}""")]
    public void What_is_no_event_is_refused(string json) =>
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize<RunEvent>(json, ContractJson.Options));
}
