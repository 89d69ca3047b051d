%% The Erlang side of the comparison: two nodes that serve, one that submits. Compiled and started by erlang.ts.
-module(bench).
-export([serve/0, submit/0, work/0]).

%% On a worker node: does nothing but be there; the submitter spawns the process that works.
serve() ->
    io:format("ready~n"),
    receive stop -> ok end.

%% Runs on a worker node: one job after another.
work() ->
    receive
        {From, Id, Job, Input} ->
            From ! {Id, self(), run(Job, Input)},
            work()
    end.

run(empty, _) -> ok;
run(spin, Ms) -> spin_until(erlang:monotonic_time(microsecond) + round(Ms * 1000));
run('receive', Bytes) -> byte_size(Bytes);
run(produce, Count) -> binary:copy(<<7>>, Count).

spin_until(End) ->
    case erlang:monotonic_time(microsecond) < End of
        true -> spin_until(End);
        false -> ok
    end.

%% On the submitter: reads commands from standard input, answers with microseconds.
submit() ->
    Nodes = ['worker1@127.0.0.1', 'worker2@127.0.0.1'],
    [pong = net_adm:ping(Node) || Node <- Nodes],
    Workers = [spawn(Node, ?MODULE, work, []) || Node <- Nodes],
    io:format("ready ~s~n", [erlang:system_info(otp_release)]),
    commands(Workers).

commands(Workers) ->
    case io:get_line("") of
        eof -> halt();
        Line ->
            [How, Job | Rest] = string:lexemes(string:trim(Line), " "),
            Inputs = [input(list_to_atom(Job), Number) || Number <- numbers(Rest)],
            Micros = measure(How, list_to_atom(Job), Inputs, Workers),
            io:format("took ~s~n", [lists:join(" ", [integer_to_list(M) || M <- Micros])]),
            commands(Workers)
    end.

numbers(["repeat", Count, Number]) -> lists:duplicate(list_to_integer(Count), number(Number));
numbers(["list" | Numbers]) -> [number(Number) || Number <- Numbers].

number(Text) ->
    case string:to_float(Text) of
        {error, no_float} -> list_to_integer(Text);
        {Float, _} -> Float
    end.

%% One binary serves as every input of its size: Erlang shares it.
input('receive', Size) ->
    case get({bytes, Size}) of
        undefined -> put({bytes, Size}, binary:copy(<<7>>, Size)), get({bytes, Size});
        Bytes -> Bytes
    end;
input(_, Number) -> Number.

measure("all", Job, Inputs, Workers) ->
    {Micros, ok} = timer:tc(fun() -> all(Job, Inputs, Workers) end),
    [Micros];
measure("each", Job, Inputs, Workers) ->
    [element(1, timer:tc(fun() -> all(Job, [Input], Workers) end)) || Input <- Inputs].

%% Every worker has a few jobs ahead, and gets the next with each answer.
all(Job, Inputs, Workers) ->
    Ahead = case Job of empty -> 500; _ -> 2 end,
    {Left, Sent} = fill(Job, Inputs, [Worker || _ <- lists:seq(1, Ahead), Worker <- Workers], 0),
    collect(Job, Left, Sent, Sent).

fill(_, [], _, Sent) -> {[], Sent};
fill(_, Inputs, [], Sent) -> {Inputs, Sent};
fill(Job, [Input | Inputs], [Worker | Workers], Sent) ->
    Worker ! {self(), Sent, Job, Input},
    fill(Job, Inputs, Workers, Sent + 1).

collect(_, [], _, 0) -> ok;
collect(Job, Inputs, Next, InFlight) ->
    receive
        {_Id, Worker, _Result} ->
            case Inputs of
                [] -> collect(Job, [], Next, InFlight - 1);
                [Input | Left] ->
                    Worker ! {self(), Next, Job, Input},
                    collect(Job, Left, Next + 1, InFlight)
            end
    end.
