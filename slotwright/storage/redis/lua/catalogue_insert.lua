-- project, queue, pool
local project, queue = ARGV[1], ARGV[2]
local entry, index = project .. '.' .. queue, project .. '.catalogue'
local key = entry .. '.catalogue'
guard('catalogue')
if kind_of(key) == 'hash' then
    local fields = call('HMGET', key, 'p', 'p_q')
    if not fields[1] then
        return {'foreign', key}
    elseif fields[1] ~= project or fields[2] ~= queue then
        return {'taken'}
    end
elseif has_entries(entry) then
    return {'taken'} -- a project is named like the entry
elseif kind_of(key) ~= 'none' then
    return {'foreign', key}
end
if kind_of(index) == 'hash' and call('HEXISTS', index, 'p_q') == 1 then
    return {'taken'} -- an entry is named like the project
elseif kind_of(index) ~= 'none' and not has_entries(project) then
    return {'foreign', index}
end

call('ZADD', 'catalogue', 0, entry)
call('ZADD', index, 0, entry)
call('HSET', key, 'p', project, 'p_q', queue, 'p_p', ARGV[3])
return {'ok'}
