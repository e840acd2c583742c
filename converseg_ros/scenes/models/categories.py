"""The categories of the scenes with their attributes, one row each."""

from dataclasses import dataclass

# category | attributes | material | kilograms per litre of its bounding box. The attributes are those of
# graph.ATTRIBUTES.
_CATEGORIES = """
mug | graspable container holds_liquid pours dish fragile | ceramic | 0.4
cup | graspable container holds_liquid pours dish light_weight | plastic | 0.1
glass | graspable container holds_liquid pours dish fragile transparent | glass | 0.3
coffee cup | graspable container holds_liquid dish fragile drinkable spills hot | ceramic | 0.4
bowl | graspable container holds_liquid dish fragile | ceramic | 0.3
plate | graspable supports dish fragile | ceramic | 0.7
bottle | graspable container holds_liquid pours spills | plastic | 0.7
wine bottle | graspable container holds_liquid pours spills fragile drinkable | glass | 0.7
beer bottle | graspable container holds_liquid pours spills fragile drinkable | glass | 0.6
yogurt bottle | graspable container holds_liquid pours spills drinkable edible light_weight | plastic | 0.6
baby bottle | graspable container holds_liquid drinkable | plastic | 0.5
medicine bottle | graspable container toxic light_weight choking | plastic | 0.5
can | graspable container rolls | metal | 1.0
jar | graspable container openable fragile | glass | 0.8
cereal box | graspable container openable light_weight edible flammable readable | paper | 0.15
box | graspable container openable light_weight flammable supports | paper | 0.2
medicine box | graspable container light_weight toxic readable | paper | 0.3
open box | graspable container supports | paper | 0.1
food container | graspable container openable supports | plastic | 0.5
book | graspable readable flammable supports | paper | 0.6
newspaper | graspable readable flammable light_weight | paper | 0.3
sponge | graspable cleans soft light_weight | fabric | 0.05
toy block | graspable toy light_weight supports choking | wood | 0.5
ball | graspable toy rolls light_weight | plastic | 0.1
apple | graspable edible rolls | food | 0.6
orange | graspable edible rolls | food | 0.6
lemon | graspable edible rolls | food | 0.6
tomato | graspable edible rolls soft | food | 0.6
banana | graspable edible soft | food | 0.5
bread | graspable edible soft | food | 0.25
cake | edible soft | food | 0.4
cupcake | graspable edible soft light_weight | food | 0.3
hamburger | graspable edible soft | food | 0.4
hot dog | graspable edible soft | food | 0.4
steak | graspable edible hot soft | food | 0.5
roast chicken | edible hot | food | 0.4
french fries | edible hot | food | 0.3
butter | graspable edible soft | food | 0.6
milk carton | graspable container holds_liquid pours drinkable spills | paper | 0.9
sugar bowl | graspable container dish fragile | ceramic | 0.5
salt shaker | graspable container pours light_weight | glass | 0.4
creamer | graspable container holds_liquid pours dish fragile | ceramic | 0.4
teapot | graspable container holds_liquid pours hot spills fragile openable | ceramic | 0.4
kettle | graspable container holds_liquid pours hot spills | metal | 0.5
moka pot | graspable container holds_liquid pours hot spills | metal | 0.6
coffee press | graspable container holds_liquid pours hot spills fragile transparent | glass | 0.4
fork | graspable cutlery sharp | metal | 1.0
spoon | graspable cutlery stirs | metal | 1.0
knife | graspable cutlery cuts sharp | metal | 1.0
kitchen knife | graspable cutlery cuts sharp | metal | 1.0
spatula | graspable stirs tool | plastic | 0.5
ladle | graspable stirs tool | metal | 0.4
scissors | graspable cuts sharp tool | metal | 1.0
screwdriver | graspable tool sharp | metal | 1.0
hammer | graspable hammers tool heavy | metal | 1.2
wrench | graspable tool | metal | 2.0
drill | graspable tool electric heavy | plastic | 0.5
saw | graspable tool cuts sharp | metal | 0.8
pliers | graspable tool cuts | metal | 1.0
grinder | graspable tool electric cuts sharp heavy | metal | 0.6
tape measure | graspable tool | plastic | 0.9
tape roll | graspable rolls light_weight | plastic | 0.5
brick | graspable heavy supports | stone | 1.9
marker | graspable writes light_weight | plastic | 0.6
pencil | graspable writes light_weight sharp | wood | 0.6
ruler | graspable tool light_weight | plastic | 0.5
stapler | graspable tool | plastic | 0.8
letter tray | container supports | plastic | 0.1
pen holder | container | plastic | 0.2
calendar | readable light_weight | paper | 0.2
calculator | graspable electric | plastic | 0.6
phone | graspable electric fragile readable | plastic | 1.5
desk phone | electric | plastic | 0.4
tablet | graspable electric fragile readable | plastic | 1.5
laptop | electric openable fragile readable | plastic | 0.15
computer | electric heavy appliance | plastic | 0.2
printer | electric heavy appliance | plastic | 0.25
keyboard | electric | plastic | 0.3
speaker | electric | plastic | 0.3
radio | electric graspable | plastic | 0.3
stereo | electric heavy appliance | plastic | 0.4
camera | graspable electric fragile | plastic | 0.5
headphones | graspable wearable electric light_weight | plastic | 0.1
game controller | graspable electric toy | plastic | 0.3
remote control | graspable electric light_weight | plastic | 0.7
flashlight | graspable lights electric tool | metal | 0.7
pot | graspable container holds_liquid hot heavy | metal | 0.4
frying pan | graspable container hot heavy | metal | 0.5
lid | graspable | metal | 0.5
cutting board | graspable supports | wood | 0.7
tray | graspable supports | wood | 0.2
knife block | container sharp heavy | wood | 0.6
utensil pot | container | ceramic | 0.2
kitchen tools | tool | metal | 0.1
paper towel holder | cleans flammable | paper | 0.2
spice rack | container | wood | 0.2
kitchen scale | electric | plastic | 0.3
squeezer | graspable tool | plastic | 0.2
vase | graspable container fragile | ceramic | 0.4
flowers | plant alive fragile | plant | 0.05
plant | plant alive | plant | 0.05
flower pot | plant alive | plant | 0.3
cactus | plant alive sharp | plant | 0.2
candle | graspable lights flammable | wax | 0.6
lamp | lights electric | fabric | 0.05
lantern | graspable lights | metal | 0.15
towel | graspable cleans soft flammable light_weight | fabric | 0.15
clothes | graspable wearable soft flammable | fabric | 0.15
shoes | wearable | fabric | 0.2
hat | graspable wearable soft light_weight | fabric | 0.05
helmet | graspable wearable | plastic | 0.08
glove | graspable wearable soft light_weight | fabric | 0.1
glasses | graspable wearable fragile light_weight transparent | plastic | 0.1
watch | graspable wearable light_weight choking | metal | 1.0
handbag | graspable container openable wearable | fabric | 0.2
backpack | graspable container openable wearable | fabric | 0.1
briefcase | graspable container openable | fabric | 0.3
suitcase | graspable container openable heavy | plastic | 0.15
umbrella | graspable | fabric | 0.05
soap | graspable cleans light_weight | soap | 0.9
soap dispenser | graspable cleans container | plastic | 0.7
perfume bottle | graspable fragile container flammable | glass | 0.8
lipstick | graspable light_weight choking | plastic | 0.7
cosmetics jar | graspable container openable | plastic | 0.7
comb | graspable tool light_weight | plastic | 0.2
brush | graspable tool light_weight | plastic | 0.3
toothbrush | graspable cleans light_weight | plastic | 0.3
keys | graspable light_weight choking | metal | 0.3
banknote | graspable light_weight flammable | paper | 0.5
ashtray | container hot | glass | 0.8
doll | graspable toy soft | fabric | 0.1
teddy bear | graspable toy soft light_weight | fabric | 0.05
toy car | graspable toy rolls | wood | 0.3
toy train | graspable toy rolls | wood | 0.3
toy plane | graspable toy light_weight | wood | 0.2
toy | graspable toy light_weight | wood | 0.2
xylophone | toy | wood | 0.2
puzzle cube | graspable toy light_weight | plastic | 0.8
puzzle | graspable toy light_weight choking | wood | 0.5
chess board | toy supports | wood | 0.2
playing cards | graspable toy light_weight | paper | 0.5
doll house | toy | wood | 0.05
rocking horse | toy sittable | wood | 0.05
gift | graspable openable | paper | 0.2
picture frame | fragile graspable | wood | 0.3
clock | electric fragile readable | plastic | 0.3
figurine | fragile graspable | ceramic | 0.4
thermometer | graspable | plastic | 0.3
racket | graspable toy | wood | 0.1
padlock | graspable heavy | metal | 1.5
fan | electric sharp appliance | plastic | 0.08
toaster | electric hot appliance | metal | 0.4
microwave | electric openable container hot heavy appliance | metal | 0.3
oven | electric openable container hot heavy appliance | metal | 0.3
coffee maker | electric hot appliance | plastic | 0.25
blender | electric container appliance sharp | plastic | 0.2
mixer | electric appliance heavy | metal | 0.25
rice cooker | electric hot container appliance | metal | 0.25
deep fryer | electric hot appliance | metal | 0.25
sandwich maker | electric hot appliance openable | metal | 0.3
bread box | container openable appliance | metal | 0.15
stove | electric hot supports appliance | metal | 0.5
grill | hot appliance heavy | stone | 0.6
basket | container | wood | 0.05
bucket | graspable container holds_liquid | plastic | 0.05
trash can | container | metal | 0.06
toilet brush | cleans | plastic | 0.1
toilet paper holder | cleans | metal | 0.1
potty | container sittable | plastic | 0.05
broom | graspable cleans | wood | 0.02
shovel | graspable tool | metal | 0.05
fire extinguisher | graspable heavy tool | metal | 0.5
traffic cone | light_weight | plastic | 0.02
ladder | climbable | metal | 0.03
crate | container supports | wood | 0.1
cardboard box | container supports openable flammable | paper | 0.03
barrel | container heavy | wood | 0.3
tool box | container openable tool heavy | metal | 0.3
chair | sittable furniture climbable | wood | 0.05
stool | sittable furniture climbable | wood | 0.05
armchair | sittable furniture soft | fabric | 0.06
sofa | sittable furniture soft heavy | fabric | 0.06
bench | sittable furniture | wood | 0.1
office chair | sittable furniture rolls | fabric | 0.04
high chair | sittable furniture | wood | 0.03
ottoman | sittable furniture soft | fabric | 0.05
bed | sittable furniture soft heavy | fabric | 0.06
crib | furniture container | wood | 0.04
table | supports furniture heavy | wood | 0.04
desk | supports furniture heavy | wood | 0.06
coffee table | supports furniture | wood | 0.06
nightstand | supports container openable furniture | wood | 0.15
dresser | supports container openable furniture heavy | wood | 0.15
wardrobe | container openable furniture heavy | wood | 0.06
bookcase | container supports furniture heavy | wood | 0.15
shelf | supports furniture | wood | 0.08
filing cabinet | container openable furniture heavy | metal | 0.2
cabinet | container openable furniture heavy | wood | 0.1
fridge | electric container openable appliance heavy | metal | 0.15
washing machine | electric container openable appliance heavy | metal | 0.25
dryer | electric container openable appliance heavy | metal | 0.2
toilet | sittable heavy | ceramic | 0.2
bathtub | container holds_liquid heavy | ceramic | 0.1
washbasin | container holds_liquid heavy | ceramic | 0.1
radiator | hot heavy | metal | 0.4
fireplace | hot heavy | stone | 0.3
television | electric fragile readable | plastic | 0.15
piano | electric heavy furniture | wood | 0.2
guitar | graspable fragile | wood | 0.05
aquarium | container holds_liquid fragile heavy transparent | glass | 0.9
rug | soft | fabric | 0.3
water cooler | electric container holds_liquid appliance | plastic | 0.2
safe | container openable heavy | metal | 0.8
wheelchair | sittable rolls | metal | 0.05
ironing rack | furniture | metal | 0.02
socket | electric | plastic | 0.3
woman | alive | | 1.0
man | alive | | 1.0
boy | alive | | 1.0
girl | alive | | 1.0
cat | alive soft | | 0.3
dog | alive soft | | 0.3
rabbit | alive soft | | 0.3
chicken | alive soft | | 0.3
hand | alive | | 1.0
gripper | tool electric | metal | 1.0
trolley | supports rolls | metal | 0.05
plug | graspable electric | plastic | 0.5
power strip | electric | plastic | 0.5
counter | supports furniture heavy | wood | 0.1
workbench | supports furniture heavy | wood | 0.1
floor | supports | | 0
wall | | | 0
window | openable transparent | glass | 0
door | openable | wood | 0.3
"""


@dataclass(frozen=True, slots=True)
class Category:
    """The attributes of all objects of a category, unless the model overrides them."""

    name: str
    attributes: tuple[str, ...]
    material: str
    density: float  # kg per litre of bounding box


def _parse_categories() -> dict[str, Category]:
    result = {}
    for line in _CATEGORIES.strip().splitlines():
        name, attributes, material, density = (w.strip() for w in line.split('|'))
        result[name] = Category(name, tuple(attributes.split()), material, float(density))
    return result


CATEGORIES = _parse_categories()
