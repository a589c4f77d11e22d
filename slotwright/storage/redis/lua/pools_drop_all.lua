-- What the indexes name, and nothing else.
local names = call('ZRANGE', 'pools', 0, -1)
local flavors = call('HVALS', FLAVOR_OF)
for _, flavor in ipairs(flavors) do
    call('DEL', flavor .. '.pools')
end
for _, name in ipairs(names) do
    call('DEL', name .. '.pools')
end
call('DEL', 'pools', FLAVOR_OF)
return {'ok'}
