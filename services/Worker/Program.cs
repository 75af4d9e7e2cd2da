using ClipSae.Hosting.Service;
using ClipSae.Worker;

try
{
    var add = StageCatalogue.Find(args.FirstOrDefault());
    return await ServiceHost.RunAsync(args[1..], services => add(services));
}
catch (UserErrorException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return ServiceHost.WrongUse;
}
