using ClipSae.Hosting.Settings;

namespace ClipSae.Hosting.Tests;

public class ClipSaeOptionsTests
{
    [Fact]
    public void A_worker_of_one_unit_takes_one_at_a_time() =>
        Should
            .Throw<UserErrorException>(() => new ClipSaeOptions { Once = true, UnitsAtOnce = 2 }.Validate())
            .Message.ShouldContain("UnitsAtOnce must be 1");

    [Theory]
    [InlineData("", "given")]
    [InlineData(null, "given")]
    public void An_empty_name_of_a_file_is_none(string? file, string password) =>
        Should.NotThrow(() =>
            new BrokerOptions
            {
                User = "user",
                Password = password,
                PasswordFile = file,
            }.Validate()
        );
}
