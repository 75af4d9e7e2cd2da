using ClipSae.AttackCuration;
using ClipSae.Hosting.Service;

return await ServiceHost.RunAsync(args, services => services.AddAttackCuration());
