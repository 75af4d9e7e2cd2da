using ClipSae.Coordinator;
using ClipSae.Hosting.Service;
using ClipSae.Service;
using ClipSae.Web;

try
{
    var (service, arguments) = (args.FirstOrDefault() ?? "", args.Skip(1).ToArray());
    return service switch
    {
        "coordinator" => await ServiceHost.RunAsync(service, arguments, services => services.AddCoordinator().AddStalledRuns()),
        "web" => await WebService.RunAsync(arguments),
        _ => await ServiceHost.RunAsync(service, arguments, StageCatalogue.Find(service)),
    };
}
catch (UserErrorException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return ServiceHost.WrongUse;
}
