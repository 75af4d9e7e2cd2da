using ClipSae.Hosting;
using ClipSae.AttackCuration;

return await ServiceHost.RunAsync(args, services => services.AddAttackCuration());
