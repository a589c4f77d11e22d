"""Who calls, and whether they may: identities, how they are proven, and the guard before all."""
