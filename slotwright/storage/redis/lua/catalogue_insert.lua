-- project, queue, pool
local project, queue = ARGV[1], ARGV[2]
local entry, index = project .. '.' .. queue, project .. '.catalogue'
local key = entry .. '.catalogue'
if call('ZSCORE', 'catalogue', entry) then
    local fields = call('HMGET', key, 'p', 'p_q')
    if fields[1] and (fields[1] ~= project or fields[2] ~= queue) then
        return {'taken', fields[1], fields[2]}
    end
elseif has_entries(entry) then
    return {'like_project'}
elseif kind_of(key) ~= 'none' then
    return {'foreign', key}
end
if call('ZSCORE', 'catalogue', project) then
    return {'project_like_entry'}
end
if kind_of(index) ~= 'none' and not has_entries(project) then
    return {'foreign', index}
end

call('ZADD', 'catalogue', 0, entry)
call('ZADD', index, 0, entry)
call('HSET', key, 'p', project, 'p_q', queue, 'p_p', ARGV[3])
return {'ok'}
