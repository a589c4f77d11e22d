-- What the indexes name and is of this store, and nothing else.
local keys, own = {}, {}
guard('pools')
for _, flavor in ipairs(call('HVALS', FLAVOR_OF)) do
    if has_pools(flavor) then
        keys[flavor .. '.pools'] = true
    end
end
for _, name in ipairs(call('ZRANGE', 'pools', 0, -1)) do
    if is_pool(name) then
        keys[name .. '.pools'] = true
        own[#own + 1] = name
    end
end

drop(keys, 'pools', own)
call('DEL', FLAVOR_OF)
return {'ok'}
