using ClipSae.Hosting.Settings;
using Microsoft.Extensions.Configuration;

namespace ClipSae.Hosting.Tests;

public class ClipSaeSettingsTests
{
    [Theory]
    [InlineData("30s", 30)]
    [InlineData("90 s", 90)]
    [InlineData("3m", 180)]
    [InlineData("1.5min", 90)]
    [InlineData("2h", 7200)]
    [InlineData("1500ms", 1.5)]
    [InlineData("00:00:30", 30)]
    [InlineData("1.00:00:00", 86400)]
    public void Times_are_a_number_with_its_unit_or_a_clock(string given, double seconds) =>
        Read(("ClipSae:StopTimeout", given)).StopTimeout.TotalSeconds.ShouldBe(seconds);

    [Theory]
    [InlineData("yes", true)]
    [InlineData("True", true)]
    [InlineData("1", true)]
    [InlineData("off", false)]
    [InlineData("no", false)]
    public void Switches_are_words(string given, bool expected) => Read(("ClipSae:Broker:Tls", given)).Broker.Tls.ShouldBe(expected);

    // A bare 60 was once sixty days.
    [Theory]
    [InlineData("StopTimeout", "60", "ClipSae__StopTimeout = 60: expected a time such as 30s")]
    [InlineData("StopTimeout", "a while", "expected a time")]
    [InlineData("S3:OutageTolerance", "-3s", "ClipSae__S3__OutageTolerance = -3s: expected a time")]
    [InlineData("Broker:Tls", "maybe", "ClipSae__Broker__Tls = maybe: expected yes or no")]
    [InlineData("UnitsAtOnce", "many", "ClipSae__UnitsAtOnce = many: expected a whole number")]
    [InlineData("S3:CacheBytes", "20GB", "ClipSae__S3__CacheBytes = 20GB: expected a whole number of bytes")]
    [InlineData("Broker:Prot", "5671", "ClipSae__Broker__Prot is not a setting; did you mean ClipSae__Broker__Port")]
    public void What_says_nothing_is_refused_under_its_name_in_the_environment(string key, string given, string expected) =>
        Should.Throw<UserErrorException>(() => Read(($"ClipSae:{key}", given))).Message.ShouldContain(expected);

    [Fact]
    public void What_is_not_given_keeps_its_default_and_an_empty_value_is_none()
    {
        var options = Read(
            ("ClipSae:Bus", "rabbitmq"),
            ("ClipSae:HealthAddress", ""),
            ("ClipSae:S3:RequestTimeout", ""),
            ("CLIPSAE_DATA", "elsewhere")
        );

        options.ShouldBe(new ClipSaeOptions { Bus = "rabbitmq" });
    }

    [Theory]
    [InlineData("Bus", "RabbitMQ", "Bus = RabbitMQ: known are memory and rabbitmq")]
    [InlineData("Store", "s3", "Store = s3 needs Bus = rabbitmq")]
    public void A_choice_that_would_be_taken_for_another_is_refused(string key, string given, string expected) =>
        Should.Throw<UserErrorException>(() => Read(($"ClipSae:{key}", given)).Validate()).Message.ShouldContain(expected);

    private static ClipSaeOptions Read(params (string Key, string? Value)[] given) =>
        ClipSaeSettings.Read(
            new ConfigurationBuilder().AddInMemoryCollection(given.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))).Build()
        );
}
