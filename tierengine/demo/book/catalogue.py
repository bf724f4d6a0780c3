"""What the demo book is made of: names, places, machines of real makers, parts. Data only; prices are plausible, yuan.

Nobody in it exists. Phone numbers begin with 140, which in China is given to things, not to people.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A machine one can buy. `size` is by the bounds that the default policy prints; `price` in yuan."""

    brand: str
    model: str
    kind: str
    size: str
    price: int


@dataclass(frozen=True, slots=True)
class Part:
    """Something for the parts counter; `price` in yuan for one."""

    item: str
    category: str
    price: int


# fmt: off
MODELS: tuple[Model, ...] = (
    # excavators: small below 18.5 t, large from 28.5 t
    Model("XCMG", "XE35U", "excavator", "small", 186_000),
    Model("XCMG", "XE75G", "excavator", "small", 338_000),
    Model("SANY", "SY60C", "excavator", "small", 302_000),
    Model("SANY", "SY75C", "excavator", "small", 356_000),
    Model("LiuGong", "CLG906F", "excavator", "small", 289_000),
    Model("Zoomlion", "ZE75E", "excavator", "small", 328_000),
    Model("SDLG", "E655F", "excavator", "small", 278_000),
    Model("Lonking", "CDM6065", "excavator", "small", 266_000),
    Model("SANY", "SY135C", "excavator", "small", 598_000),
    Model("XCMG", "XE215C", "excavator", "medium", 868_000),
    Model("SANY", "SY215C", "excavator", "medium", 908_000),
    Model("LiuGong", "CLG922E", "excavator", "medium", 879_000),
    Model("Zoomlion", "ZE205E", "excavator", "medium", 836_000),
    Model("SDLG", "E6210F", "excavator", "medium", 812_000),
    Model("Lonking", "CDM6225", "excavator", "medium", 788_000),
    Model("XCMG", "XE370CA", "excavator", "large", 1_468_000),
    Model("SANY", "SY365H", "excavator", "large", 1_556_000),
    Model("LiuGong", "CLG936E", "excavator", "large", 1_498_000),
    # wheel loaders: small to 3 t, large from 6 t
    Model("LiuGong", "CLG835H", "wheel_loader", "small", 228_000),
    Model("XCMG", "LW300KN", "wheel_loader", "small", 216_000),
    Model("SDLG", "L933", "wheel_loader", "small", 198_000),
    Model("Lonking", "LG833N", "wheel_loader", "small", 189_000),
    Model("LiuGong", "CLG856H", "wheel_loader", "medium", 386_000),
    Model("XCMG", "LW500KN", "wheel_loader", "medium", 358_000),
    Model("SDLG", "L956F", "wheel_loader", "medium", 352_000),
    Model("SEM", "SEM655D", "wheel_loader", "medium", 366_000),
    Model("Lonking", "LG855N", "wheel_loader", "medium", 318_000),
    Model("LiuGong", "CLG870H", "wheel_loader", "large", 598_000),
    Model("SDLG", "L968F", "wheel_loader", "large", 566_000),
    # bulldozers: large from 320 hp
    Model("Shantui", "SD16", "bulldozer", "medium", 548_000),
    Model("Shantui", "SD22", "bulldozer", "medium", 796_000),
    Model("SEM", "SEM816D", "bulldozer", "medium", 586_000),
    Model("Shantui", "SD32", "bulldozer", "large", 1_286_000),
    # rollers: small below 14 t
    Model("Shantui", "SR12", "roller", "small", 258_000),
    Model("XCMG", "XS143J", "roller", "medium", 336_000),
    Model("LiuGong", "CLG6122E", "roller", "medium", 428_000),
    # the others
    Model("SEM", "SEM919", "grader", "medium", 688_000),
    Model("XCMG", "GR2153", "grader", "medium", 698_000),
    Model("Zoomlion", "ZTC251", "crane", "medium", 868_000),
    Model("XCMG", "QY70K", "crane", "large", 1_968_000),
    Model("Lonking", "LG30DT", "forklift", "small", 72_000),
    Model("LiuGong", "CPCD30", "forklift", "small", 76_000),
)

# Makers we do not sell: what customers own from elsewhere.
ELSEWHERE: tuple[Model, ...] = (
    Model("Komatsu", "PC200-8", "excavator", "medium", 0),
    Model("CAT", "320D", "excavator", "medium", 0),
    Model("Hitachi", "ZX200", "excavator", "medium", 0),
    Model("Doosan", "DH225LC", "excavator", "medium", 0),
    Model("XGMA", "XG955", "wheel_loader", "medium", 0),
    Model("Liugong", "ZL50C", "wheel_loader", "medium", 0),
    Model("Komatsu", "PC360-7", "excavator", "large", 0),
    Model("CAT", "336D", "excavator", "large", 0),
)

PARTS: tuple[Part, ...] = (
    Part("LF-16352", "parts", 168), Part("FF-5485", "parts", 142), Part("FS-1280", "parts", 196),
    Part("AF-25553", "parts", 356), Part("HF-35516", "parts", 428), Part("HF-7691", "parts", 515),
    Part("BT-2713", "parts", 98), Part("BP-14X", "parts", 64), Part("TR-216", "parts", 1_280),
    Part("IDL-PC20", "parts", 2_350), Part("SPR-215", "parts", 1_860), Part("PIN-71", "parts", 238),
    Part("BUSH-80", "parts", 186), Part("SEAL-KIT", "parts", 620), Part("HOSE-1214", "parts", 348),
    Part("ALT-24V", "parts", 980), Part("STM-24V", "parts", 1_650), Part("TURBO-6BT", "parts", 4_380),
    Part("INJ-0445", "parts", 2_150), Part("BLADE-EDGE", "parts", 860), Part("BRK-PAD", "parts", 456),
    Part("CH4-15W40-18L", "lubricant", 468), Part("AW46-200L", "lubricant", 3_180),
    Part("GEAR-85W90-18L", "lubricant", 436), Part("GREASE-15KG", "lubricant", 268),
    Part("COOL-18L", "lubricant", 226),
)

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
GIVEN = (
    "建国", "志强", "永强", "海军", "文才", "德胜", "国庆", "保成", "长青", "金山", "大伟", "春生",
    "玉林", "明辉", "家宝", "兴旺", "少华", "立新", "广才", "福来", "振华", "卫东", "宝山", "学军",
    "成功", "运来", "红旗", "新民", "士友", "庆丰", "伟", "勇", "军", "磊", "涛", "斌",
    "超", "刚", "平", "辉", "杰", "峰", "亮", "波", "宁", "敏", "秀英", "桂兰",
    "丽华", "晓燕",
)
FIRM_NAMES = (
    "恒通", "金石", "宏远", "鑫达", "中皖", "顺发", "长江", "华盛", "诚信", "天成", "兴业", "富强",
    "永固", "四方", "腾飞", "大禹", "众诚", "龙腾", "安达", "瑞丰", "远大", "鸿基", "建安", "福临",
    "盛世", "新纪元", "汇丰源", "百川", "同创", "金鼎", "力拓", "铁山", "东升", "泰和", "广源", "昌盛",
    "旭日", "万通", "正大", "佳和",
)

# trade → (how firms of it are named, jobs they do)
TRADES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "earthworks": (("土石方工程有限公司", "建设工程有限公司", "机械施工有限公司"),
                   ("开发区平整土地", "高铁站前广场", "安置房基坑")),
    "quarry": (("砂石有限公司", "石料有限公司", "矿业有限公司"), ("采石场二期", "砂石料装车", "破碎线上料")),
    "road": (("路桥工程有限公司", "公路养护有限公司"), ("省道改扩建", "高速二标", "县乡公路水稳层")),
    "mine": (("矿业有限公司", "矿山工程有限公司"), ("露天矿剥离", "排土场整治")),
    "municipal": (("市政工程有限公司", "园林绿化有限公司"), ("雨污分流", "河道清淤", "管网改造")),
    "rental": (("设备租赁有限公司", "工程机械租赁有限公司"), ("工地短租", "长租进场")),
}

# store → (name, regions)
STORES: dict[str, tuple[str, tuple[str, ...]]] = {
    "S01": ("合肥总店", ("合肥", "肥西", "肥东", "长丰", "巢湖", "六安")),
    "S02": ("芜湖店", ("芜湖", "无为", "南陵", "繁昌", "宣城")),
    "S03": ("徐州店", ("徐州", "邳州", "新沂", "睢宁", "沛县")),
}
# sales manager → (name, store, regions he looks after)
MANAGERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "U11": ("孙立军", "S01", ("合肥", "肥西")),
    "U12": ("周海波", "S01", ("肥东",)),
    "U13": ("吴晓东", "S01", ("长丰",)),
    "U14": ("郑伟", "S01", ("巢湖", "六安")),
    "U21": ("钱国平", "S02", ("芜湖",)),
    "U22": ("冯涛", "S02", ("无为", "繁昌")),
    "U23": ("蒋敏", "S02", ("南陵", "宣城")),
    "U31": ("沈建华", "S03", ("徐州",)),
    "U32": ("韩磊", "S03", ("邳州", "新沂")),
    "U33": ("杨勇", "S03", ("睢宁", "沛县")),
}
LEADERS = {"S01": ("U01", "陈总"), "S02": ("U02", "方经理"), "S03": ("U03", "朱经理")}
ARCHIVIST = ("U90", "档案员 许静")
DESK = ("U80", "客户中心 姚兰")
TECHNICIANS = ("T01", "T02", "T03", "T04", "T05", "T06")

TIP_TOPICS = ("project", "demand", "market", "product")
SUGGESTIONS = ("保养到期", "想看新机型", "问配件价格", "工地要加机器", "结款情况", "操作手请假", "油耗偏高", "准备投标")
# fmt: on
