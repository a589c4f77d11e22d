-- name, flavor; both may be ''. Answers the uri of the pool, else of the first that fits.
local name, flavor = ARGV[1], ARGV[2]
if name == '' and flavor ~= '' then
    name = has_pools(flavor) and call('ZRANGE', flavor .. '.pools', 0, 0)[1] or ''
elseif name == '' then
    name = call('ZRANGE', 'pools', 0, 0)[1] or ''
end
if name == '' or not is_pool(name) then
    return {'missing'}
end
return {'ok', call('HGET', name .. '.pools', 'u')}
