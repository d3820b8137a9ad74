"""A simulator of TusFacturas.app's queued issuing: door, queue, AFIP behind it, hooks, and a truthful audit.

It models the provider, not our idea of it, so it imports nothing of the project. `provider.Proveedor` is the pure
core (clock and randomness come in), `web` its HTTP shell, `transport.as_transport` the adapter for httpx in process,
`running.run_simulator` starts the shell as a process of its own. `plan.Plan` lists what can go wrong, `plan.OUTCOMES`
how a single call can end.

A comprobante may order its own fate by markers in `comentario` (see `fates`):

    SIM:RECHAZAR            refused at the door
    SIM:APROBACION          «EN COLA, ESPERANDO APROBACION» until `web_approve`
    SIM:NO_BORRAR           eliminar_encolado cannot delete it (makes a PARCIAL beside a deletable namesake)
    SIM:ERROR=<kind>        errors in the queue; several are consumed in their order; `*N` means N times
      10016                 number or date is not the next one; until the date is moved
      10036                 vencimiento before fecha; until the date is moved
      FECHA                 CbteFch out of N-10..N+10; until the date is moved
      DATOS                 10032, service period inverted; for ever
      10041                 associated comprobante not found; for ever
      DESCONOCIDO           a text nobody has seen; for ever
      AFIP                  EJBTransactionRolledbackException; once
      AFIP_CAIDA            «los servicios de facturación no se encuentran operativos», alone; once
      CONFIG                PDV not enabled; until `web_fix_account`
      AMBIGUO               «existe en ARCA pero no en TusFacturas»; once. It IS authorised: a resend recovers its CAE,
                            a deletion leaves it legal in ARCA
      SIN_CAE               only the companions S1254 and S1278; once, authorised as AMBIGUO is
"""
