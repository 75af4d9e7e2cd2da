namespace ClipSae.Contracts.Tests;

public sealed class UserErrorExceptionTests
{
    [Fact]
    public void A_message_is_one_line_whatever_names_it_quotes() =>
        new UserErrorException("x.pt: key 'a\r\nb\u001b[2Jc\u0085d' is missing").Message.ShouldBe(
            @"x.pt: key 'a b\u001B[2Jc d' is missing"
        );

    [Fact]
    public void Of_a_very_long_message_file_and_remedy_are_kept()
    {
        var message = new UserErrorException($"x.pt: key '{new string('k', 1_000_000)}' is missing; fetch the file again").Message;

        message.Length.ShouldBeLessThan(1_300);
        message.ShouldStartWith("x.pt: key 'kkk");
        message.ShouldEndWith("kkk' is missing; fetch the file again");
    }

    [Fact]
    public void A_guard_makes_its_message_only_if_there_is_a_problem()
    {
        var asked = 0;
        string Name()
        {
            asked++;
            return "x.pt";
        }

        UserErrorException.ThrowIf(false, $"{Name()}: has " + $"{2:00} keys");
        asked.ShouldBe(0);

        Should
            .Throw<UserErrorException>(() => UserErrorException.ThrowIf(true, $"{Name()}: has " + $"{2:00} keys"))
            .Message.ShouldBe("x.pt: has 02 keys");
        asked.ShouldBe(1);
    }
}
