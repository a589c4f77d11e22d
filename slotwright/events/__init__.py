"""Blueprint "Redis driver" of Dragonflow: tables of live data, publish and subscribe."""
